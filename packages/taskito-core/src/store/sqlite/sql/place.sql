-- Question: where does a pending job wait?
-- Index: primary keys.
SELECT lane.queue, job.lane, job.strand, job.priority, job.run_at
FROM job
CROSS JOIN lane ON lane.id = job.lane
WHERE job.id = :id AND job.state = 'pending'
