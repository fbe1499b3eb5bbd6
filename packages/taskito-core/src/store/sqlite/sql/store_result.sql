-- Arrow: complete, its result.
-- Index: primary key.
INSERT INTO job_result (job, result, preview)
VALUES (:job, :result, :preview)
