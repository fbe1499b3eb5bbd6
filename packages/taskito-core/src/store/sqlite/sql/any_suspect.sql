-- Question: is there a pending job at all that was lost before?
-- Index: job_suspect. SCAN is meant: it stops at the first entry, and there is seldom one.
SELECT 1
FROM job
WHERE state = 'pending' AND losses > 0
LIMIT 1
