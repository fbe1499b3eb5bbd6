-- Question: which job of a lane that was lost before is next?
-- Index: job_suspect.
SELECT id, priority, run_at
FROM job
WHERE lane = :lane AND state = 'pending' AND losses > 0
ORDER BY priority DESC, run_at, id
LIMIT 1
