-- Question: what limits a job?
-- Index: primary keys.
SELECT lane.queue, lane.task, job.limit_key, job.strand
FROM job
CROSS JOIN lane ON lane.id = job.lane
WHERE job.id = :id AND job.state IN ('blocked', 'scheduled', 'pending')
