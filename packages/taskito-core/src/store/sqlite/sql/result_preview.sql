-- Question: what a job returned, for people.
-- Index: primary key.
SELECT preview
FROM job_result
WHERE job = :job
