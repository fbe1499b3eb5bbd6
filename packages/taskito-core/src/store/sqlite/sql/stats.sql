-- Question: how many jobs of a queue and a task stand where?
-- Index: none. SCAN is meant: a row per queue and task, not per job.
SELECT
    ifnull(sum(blocked + scheduled + pending), 0), ifnull(sum(running), 0), ifnull(sum(complete), 0),
    ifnull(sum(dead), 0), ifnull(sum(cancelled), 0)
FROM lane
WHERE (:queue IS NULL OR queue = :queue) AND (:task IS NULL OR task = :task)
