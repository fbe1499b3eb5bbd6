-- Question: which lanes are of this queue and this task?
-- Index: none. SCAN is meant: a row per queue and task, not per job.
SELECT id
FROM lane
WHERE (:queue IS NULL OR queue = :queue) AND (:task IS NULL OR task = :task)
