-- Question: what must be known of a dead job to run it again?
-- Index: job_dead_letter, then the primary key of lane.
SELECT job.lane, lane.task, job.limit_key
FROM job
CROSS JOIN lane ON lane.id = job.lane
WHERE job.dead_letter = :dead_letter
