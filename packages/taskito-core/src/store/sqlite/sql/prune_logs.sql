-- Arrow: prune, finished -> gone; what it said.
-- Index: task_log_job.
DELETE FROM task_log
WHERE job = :id
