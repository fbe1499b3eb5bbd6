-- Question: since when is the first job of a lane due that has a lower priority and no strand?
-- Index: job_claim.
SELECT priority, run_at
FROM job
WHERE lane = :lane AND strand IS NULL AND state = 'pending' AND losses = 0 AND priority < :below
ORDER BY priority DESC, run_at
LIMIT 1
