-- Question: how many jobs of a queue run?
-- Index: a_lane_exists_once.
SELECT ifnull(sum(running), 0)
FROM lane
WHERE queue = :queue
