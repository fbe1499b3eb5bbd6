-- Question: the result of a job.
-- Index: primary key.
SELECT result
FROM job_result
WHERE job = :job
