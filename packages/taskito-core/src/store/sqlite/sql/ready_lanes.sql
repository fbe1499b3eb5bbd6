-- Question: which lanes have pending jobs?
-- Index: lane_ready. SCAN is meant: the index holds nothing but ready lanes, all are wanted.
SELECT id, queue, task
FROM lane
WHERE pending > 0
