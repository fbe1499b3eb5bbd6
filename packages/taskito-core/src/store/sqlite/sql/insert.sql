-- Arrow: insert, - -> pending or scheduled.
-- Index: primary key.
INSERT INTO job (
    id, lane, state, priority, run_at, created_at, max_retries, timeout_ms,
    unique_key, idempotency_key, metadata, headers, payload
)
VALUES (
    :id, :lane, :state, :priority, :run_at, :created_at, :max_retries, :timeout_ms,
    :unique_key, :idempotency_key, :metadata, :headers, :payload
)
