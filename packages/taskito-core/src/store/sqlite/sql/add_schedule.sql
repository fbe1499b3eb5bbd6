-- Schedule: declare one that is new.
-- Index: primary key.
INSERT INTO schedule (
    name, task, queue, cron, every_ms, timezone, catch_up, priority, max_retries, timeout_ms,
    payload, enabled, next_run, last_run, last_job, preview, recent
)
VALUES (
    :name, :task, :queue, :cron, :every_ms, :timezone, :catch_up, :priority, :max_retries,
    :timeout_ms, :payload, :enabled, :next_run, :last_run, :last_job, :preview,
    :recent
)
