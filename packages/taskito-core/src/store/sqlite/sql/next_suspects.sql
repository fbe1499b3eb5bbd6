-- Question: which jobs of a lane that were lost before are next?
-- Index: job_suspect.
SELECT id, priority, run_at, strand
FROM job
WHERE lane = :lane AND state = 'pending' AND losses > 0
ORDER BY priority DESC, run_at, id
LIMIT :limit
