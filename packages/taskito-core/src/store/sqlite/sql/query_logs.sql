-- Question: log lines of all jobs, newest first.
-- Index: primary key, backwards.
SELECT id, job, task, level, message, extra, logged_at
FROM task_log
WHERE
    id >= :from AND logged_at >= :since
    AND (:task IS NULL OR task = :task)
    AND (:level IS NULL OR level = :level)
ORDER BY id DESC
LIMIT :limit
