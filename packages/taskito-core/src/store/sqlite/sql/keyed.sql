-- Question: which job came with this idempotency key, of whatever task? The oldest, if several.
-- Index: job_idempotent.
SELECT id
FROM job
WHERE idempotency_key = :key
ORDER BY id
LIMIT 1
