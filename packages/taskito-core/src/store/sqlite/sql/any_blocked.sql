-- Question: does any job wait for another at all?
-- Index: job_blocked. SCAN is meant: it stops at the first entry.
SELECT 1
FROM job
WHERE state = 'blocked'
LIMIT 1
