-- Question: how does the breaker of a task stand?
-- Index: primary key.
SELECT
    task, threshold, window_ms, cooldown_ms, failures, last_failure_at, opened_at,
    probe, probe_fence
FROM breaker
WHERE task = :task
