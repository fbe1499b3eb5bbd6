-- Question: which lanes of a queue have pending jobs?
-- Index: a_lane_exists_once.
SELECT id
FROM lane
WHERE queue = :queue AND ready = 1
