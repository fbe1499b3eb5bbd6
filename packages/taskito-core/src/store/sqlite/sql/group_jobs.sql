-- Question: jobs of a group of failures, the dead first, the newest first.
-- Index: job_failure, backwards.
SELECT
    id, queue, task, state, priority, retry_count, max_retries, losses, fence, created_at,
    run_at, claimed_at, finished_at, timeout_ms, unique_key, idempotency_key, metadata,
    headers, error, progress, cancel_requested, waiting_on, wait, wait_ms, expires_at,
    result_ttl_ms, limit_key, workflow, schedule, fire_time, owner,
    group_id, ended_by, started_at, failure, preview
FROM job_row
WHERE failure = :group
ORDER BY dead_letter DESC, id DESC
LIMIT :limit
