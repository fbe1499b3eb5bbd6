-- Question: which schedules are there?
-- Index: primary key. SCAN is meant: they are few and all of them are wanted.
SELECT
    name, task, queue, cron, every_ms, timezone, catch_up, priority, max_retries, timeout_ms,
    payload, enabled, next_run, last_run, last_job, preview, recent
FROM schedule
ORDER BY name
