-- Arrow: abort, running -> cancelled.
-- Index: primary key.
UPDATE job
SET
    state = 'cancelled', owner = NULL, started_at = :started_at, finished_at = :now,
    failure = NULL, error = :error
WHERE id = :id AND state = 'running' AND fence = :fence
