-- Arrow: revive, a new pending job with the settings of a dead one.
-- Index: job_dead_letter.
INSERT INTO job (
    id, lane, strand, state, priority, run_at, created_at, max_retries, timeout_ms,
    result_ttl_ms, limit_key, metadata, headers, preview, payload
)
SELECT
    :id, lane, :strand, 'pending', priority, :now, :now, max_retries, timeout_ms,
    result_ttl_ms, limit_key, metadata, headers, preview, payload
FROM job
WHERE dead_letter = :dead_letter
