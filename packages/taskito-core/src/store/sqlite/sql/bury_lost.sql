-- Arrow: bury, running -> dead, because its worker died.
-- Index: primary key.
UPDATE job
SET
    state = 'dead', owner = NULL, started_at = :started_at, finished_at = :now, error = :error,
    dead_letter = :dead_letter, failure = :failure, losses = losses + 1
WHERE id = :id AND state = 'running' AND fence = :fence
