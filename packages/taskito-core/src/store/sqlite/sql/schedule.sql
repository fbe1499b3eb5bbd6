-- Question: one schedule.
-- Index: primary key.
SELECT
    name, task, queue, cron, every_ms, timezone, catch_up, priority, max_retries, timeout_ms,
    payload, enabled, next_run, last_run, last_job, preview, recent
FROM schedule
WHERE name = :name
