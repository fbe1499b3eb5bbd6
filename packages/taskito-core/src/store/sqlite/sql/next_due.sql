-- Question: when is the next scheduled job due?
-- Index: job_promote. SCAN is meant: it stops at the first entry.
SELECT run_at
FROM job
WHERE state = 'scheduled'
ORDER BY run_at
LIMIT 1
