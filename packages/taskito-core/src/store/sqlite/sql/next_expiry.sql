-- Question: when is it too late for the next waiting job to start?
-- Index: job_expires. SCAN is meant: it stops at the first entry.
SELECT expires_at
FROM job
WHERE expires_at IS NOT NULL AND owner IS NULL AND finished_at IS NULL
ORDER BY expires_at
LIMIT 1
