-- Question: which of the jobs that an operation made have failed?
-- Index: primary keys.
SELECT job.id
FROM operation_job
CROSS JOIN job ON job.id = operation_job.copy
WHERE operation_job.operation = :operation AND (job.state = 'dead' OR job.retry_count > 0)
LIMIT :cap
