-- Limits: the code of a worker says that a task has none.
-- Index: primary key.
DELETE FROM task_limit
WHERE task = :task
