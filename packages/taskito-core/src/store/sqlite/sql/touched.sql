-- Question: which jobs did an operation touch that can be taken back, oldest first?
-- Index: primary key.
SELECT job, copy
FROM operation_job
WHERE operation = :operation
ORDER BY job
LIMIT :limit
