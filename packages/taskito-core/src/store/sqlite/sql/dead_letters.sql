-- Question: dead letters, newest first.
-- Index: job_dead_letter, backwards.
SELECT
    job.dead_letter, job.id, lane.queue, lane.task, job.error, job.retry_count,
    job.finished_at, job.metadata
FROM job
CROSS JOIN lane ON lane.id = job.lane
WHERE
    job.dead_letter < :before
    AND (:queue IS NULL OR lane.queue = :queue)
    AND (:task IS NULL OR lane.task = :task)
ORDER BY job.dead_letter DESC
LIMIT :limit OFFSET :offset
