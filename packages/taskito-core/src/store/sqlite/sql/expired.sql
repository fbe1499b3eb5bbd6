-- Question: which waiting jobs may not start any more?
-- Index: job_expires.
SELECT id, lane, strand, state
FROM job
WHERE expires_at <= :now AND state IN ('blocked', 'scheduled', 'pending')
ORDER BY expires_at, id
LIMIT :limit
