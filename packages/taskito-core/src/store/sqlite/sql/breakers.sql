-- Question: how do all breakers stand?
-- Index: primary key. SCAN is meant: all are wanted.
SELECT
    task, threshold, window_ms, cooldown_ms, failures, last_failure_at, opened_at,
    probe, probe_fence
FROM breaker
ORDER BY task
