-- Arrow: advance_operation; a job that it touched, and the one that it made of it.
-- Index: primary key.
INSERT INTO operation_job (operation, job, copy)
VALUES (:operation, :job, :copy)
