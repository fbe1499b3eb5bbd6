-- Question: which lane is for this queue and task?
-- Index: a_lane_exists_once.
SELECT id
FROM lane
WHERE queue = :queue AND task = :task
