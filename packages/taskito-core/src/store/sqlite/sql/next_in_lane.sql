-- Question: which jobs of a lane are next, apart from those in strands?
-- Index: job_claim.
SELECT id, priority, run_at
FROM job
WHERE lane = :lane AND strand IS NULL AND state = 'pending' AND losses = 0
ORDER BY priority DESC, run_at, id
LIMIT :limit
