-- Question: the log lines of a job, oldest first.
-- Index: task_log_job.
SELECT id, job, task, level, message, extra, logged_at
FROM task_log
WHERE job = :job
ORDER BY id
