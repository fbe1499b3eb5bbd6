-- Arrow: complete, its result.
-- Index: primary key.
INSERT INTO job_result (job, result)
VALUES (:job, :result)
