-- Question: what must a worker know of the job it has just claimed?
-- Index: primary key.
SELECT fence, retry_count, max_retries, losses, timeout_ms, expires_at, payload, inputs, run_at
FROM job
WHERE id = :id
