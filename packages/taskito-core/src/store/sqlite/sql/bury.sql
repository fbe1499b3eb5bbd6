-- Arrow: bury, running -> dead, after a failure.
-- Index: primary key.
UPDATE job
SET
    state = 'dead', owner = NULL, started_at = :started_at, finished_at = :now, error = :error,
    dead_letter = :dead_letter, failure = :failure
WHERE id = :id AND state = 'running' AND fence = :fence
