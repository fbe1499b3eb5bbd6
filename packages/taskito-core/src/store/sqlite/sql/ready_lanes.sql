-- Question: which lanes have pending jobs, and which of these have strands?
-- Index: lane_ready, strand_of. SCAN is meant: the index holds nothing but ready lanes, all are wanted.
SELECT id, queue, task, EXISTS (SELECT 1 FROM strand WHERE strand.lane = lane.id)
FROM lane
WHERE ready = 1
