-- Arrow: insert, - -> pending, scheduled or blocked.
-- Index: primary key.
INSERT INTO job (
    id, lane, state, priority, run_at, created_at, max_retries, timeout_ms,
    unique_key, idempotency_key, metadata, headers, payload, preview,
    waiting_on, wait_ms, inputs, expires_at, result_ttl_ms, workflow, schedule, fire_time,
    limit_key, group_id, strand
)
VALUES (
    :id, :lane, :state, :priority, :run_at, :created_at, :max_retries, :timeout_ms,
    :unique_key, :idempotency_key, :metadata, :headers, :payload, :preview,
    :waiting_on, :wait_ms, :inputs, :expires_at, :result_ttl_ms, :workflow, :schedule,
    :fire_time, :limit_key, :group_id, :strand
)
