-- Question: how many jobs of a task run that have no limit key?
-- Index: lane_task.
SELECT ifnull(sum(running - keyed), 0)
FROM lane
WHERE task = :task
