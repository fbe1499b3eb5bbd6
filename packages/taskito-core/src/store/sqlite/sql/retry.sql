-- Arrow: retry, running -> scheduled, unless it is to be cancelled.
-- Index: primary key.
UPDATE job
SET
    state = 'scheduled', owner = NULL, claimed_at = NULL,
    retry_count = retry_count + 1, run_at = :run_at, wait = 'backoff', wait_ms = :wait_ms,
    failure = :failure
WHERE id = :id AND state = 'running' AND fence = :fence AND cancel_requested = 0
