-- Question: the waiting jobs after that one, with their arguments.
-- Index: primary key.
SELECT job.id, lane.queue, lane.task, job.payload, job.inputs IS NOT NULL
FROM job
CROSS JOIN lane ON lane.id = job.lane
WHERE job.id > :after AND job.state IN ('blocked', 'scheduled', 'pending')
ORDER BY job.id
LIMIT :limit
