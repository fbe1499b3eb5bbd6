-- Question: what did a worker say last about the limits of a task?
-- Index: primary key.
SELECT rate, max_concurrent
FROM task_limit
WHERE task = :task
