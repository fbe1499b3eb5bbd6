-- Schedule: declare one again.
-- Index: primary key.
UPDATE schedule
SET
    task = :task, queue = :queue, cron = :cron, every_ms = :every_ms, timezone = :timezone,
    catch_up = :catch_up, priority = :priority, max_retries = :max_retries,
    timeout_ms = :timeout_ms, payload = :payload, enabled = :enabled, next_run = :next_run,
    last_run = :last_run, last_job = :last_job, preview = :preview, recent = :recent
WHERE name = :name
