-- Question: how many jobs of each queue and task stand where?
-- Index: a_lane_exists_once. SCAN is meant: a row per queue and task, not per job.
SELECT queue, task, blocked, scheduled, pending, running, complete, dead, cancelled
FROM lane
WHERE blocked + scheduled + pending + running + complete + dead + cancelled > 0
ORDER BY queue, task
