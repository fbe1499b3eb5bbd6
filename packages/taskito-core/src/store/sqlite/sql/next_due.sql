-- Question: when is the next scheduled job due?
-- Index: job_promote.
SELECT run_at
FROM job
WHERE state = 'scheduled'
ORDER BY run_at
LIMIT 1
