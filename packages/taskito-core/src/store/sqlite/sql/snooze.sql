-- Arrow: snooze, running -> scheduled, unless it is to be cancelled.
-- Index: primary key.
UPDATE job
SET
    state = 'scheduled', owner = NULL, claimed_at = NULL,
    run_at = :run_at, wait = 'snooze', wait_ms = :wait_ms
WHERE id = :id AND state = 'running' AND fence = :fence AND cancel_requested = 0
