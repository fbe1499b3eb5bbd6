-- Question: which jobs of a strand are next?
-- Index: job_claim.
SELECT id, priority, run_at
FROM job
WHERE lane = :lane AND strand = :strand AND state = 'pending' AND losses = 0
ORDER BY priority DESC, run_at, id
LIMIT :limit
