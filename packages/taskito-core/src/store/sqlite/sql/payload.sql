-- Question: the arguments of a job.
-- Index: primary key.
SELECT payload
FROM job
WHERE id = :id
