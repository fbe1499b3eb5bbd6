-- Question: which lanes are there, and how many of their jobs stand where?
-- Index: none. SCAN is meant: a row per queue and task, not per job.
SELECT id, queue, task, blocked, scheduled, pending, running, complete, dead, cancelled
FROM lane
