-- Question: which job of this task came with this idempotency key?
-- Index: job_idempotent, then the primary key of lane.
SELECT job.id
FROM job
CROSS JOIN lane ON lane.id = job.lane
WHERE job.idempotency_key = :key AND lane.task = :task
ORDER BY job.id
LIMIT 1
