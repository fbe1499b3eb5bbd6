-- Question: what did workers say last about the limits of tasks?
-- Index: primary key. SCAN is meant: a row per task that has limits.
SELECT rate, max_concurrent, task
FROM task_limit
ORDER BY task
