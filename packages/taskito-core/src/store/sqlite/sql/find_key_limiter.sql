-- Question: which limiter counts the jobs of a task with this key, or those without any?
-- Index: limiter_of_task.
SELECT id, arrival_ns
FROM limiter
WHERE task = :task AND limit_key IS :limit_key
