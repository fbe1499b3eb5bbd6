-- Arrow: note_log; a log line of a running attempt. Inserts nothing when the claim is stale.
-- Index: primary keys of job and lane.
INSERT INTO task_log (id, job, task, level, message, extra, logged_at)
SELECT :id, job.id, lane.task, :level, :message, :extra, :logged_at
FROM job
CROSS JOIN lane ON lane.id = job.lane
WHERE job.id = :job AND job.state = 'running' AND job.fence = :fence
