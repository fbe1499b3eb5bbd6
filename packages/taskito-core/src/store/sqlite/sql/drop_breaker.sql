-- Limits: the code of a worker says that a task has no breaker.
-- Index: primary key.
DELETE FROM breaker
WHERE task = :task
