-- Question: one job.
-- Index: primary keys.
SELECT
    id, queue, task, state, priority, retry_count, max_retries, losses, fence, created_at,
    run_at, claimed_at, finished_at, timeout_ms, unique_key, idempotency_key, metadata,
    headers, error, progress
FROM job_row
WHERE id = :id
