-- Question: jobs, newest first.
-- Index: primary key, backwards.
SELECT
    id, queue, task, state, priority, retry_count, max_retries, losses, fence, created_at,
    run_at, claimed_at, finished_at, timeout_ms, unique_key, idempotency_key, metadata,
    headers, error, progress, cancel_requested, waiting_on, wait, wait_ms, expires_at,
    result_ttl_ms, limit_key, workflow, schedule, fire_time, owner,
    group_id, ended_by, started_at, failure, preview
FROM job_row
WHERE
    id BETWEEN :from AND :to
    AND (:status IS NULL OR instr(:status, ' ' || state || ' ') > 0)
    AND (:queue IS NULL OR queue = :queue)
    AND (:task IS NULL OR task = :task)
    AND created_at BETWEEN :created_from AND :created_to
    AND (:metadata IS NULL OR instr(metadata, :metadata) > 0)
    AND (:error IS NULL OR instr(error, :error) > 0)
ORDER BY id DESC
LIMIT :limit OFFSET :offset
