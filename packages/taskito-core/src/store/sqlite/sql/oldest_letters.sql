-- Question: the dead letters after that one, oldest first.
-- Index: job_dead_letter.
SELECT job.dead_letter, job.finished_at
FROM job
CROSS JOIN lane ON lane.id = job.lane
WHERE
    job.dead_letter > :after
    AND (:queue IS NULL OR lane.queue = :queue)
    AND (:task IS NULL OR lane.task = :task)
ORDER BY job.dead_letter
LIMIT :limit
