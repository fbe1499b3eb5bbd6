-- Question: what became of attempts in the stretches of that length between two instants?
-- Index: primary key.
SELECT done, failed, retried, wait, run, at, lane.queue, lane.task
FROM rollup
CROSS JOIN lane ON lane.id = rollup.lane
WHERE
    step_ms = :step_ms AND at >= :from AND at < :to
    AND (:queue IS NULL OR lane.queue = :queue)
    AND (:task IS NULL OR lane.task = :task)
