-- Limits: what the code of a worker says about a task.
-- Index: primary key.
INSERT INTO task_limit (task, rate, max_concurrent)
VALUES (:task, :rate, :max_concurrent)
ON CONFLICT (task) DO UPDATE SET rate = :rate, max_concurrent = :max_concurrent
