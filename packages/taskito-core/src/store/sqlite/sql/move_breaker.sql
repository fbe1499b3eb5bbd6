-- Limits: a breaker has seen something.
-- Index: primary key.
UPDATE breaker
SET
    failures = :failures, last_failure_at = :last_failure_at, opened_at = :opened_at,
    probe = :probe, probe_fence = :probe_fence
WHERE task = :task
