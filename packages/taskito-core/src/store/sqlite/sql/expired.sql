-- Question: which waiting jobs may not start any more?
-- Index: job_expires.
SELECT id, lane, strand, state
FROM job
WHERE expires_at <= :now AND owner IS NULL AND finished_at IS NULL
ORDER BY expires_at, id
LIMIT :limit
