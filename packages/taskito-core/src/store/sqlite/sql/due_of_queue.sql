-- Question: which jobs of a queue are due and have not been promoted yet?
-- Index: job_promote, then the primary key of lane. SCAN is meant: of what was found there, up to the cap.
SELECT due.id, due.priority, due.run_at
FROM (
    SELECT id, lane, priority, run_at
    FROM job
    WHERE state = 'scheduled' AND run_at <= :now
    ORDER BY run_at
    LIMIT :cap
) AS due
CROSS JOIN lane ON lane.id = due.lane
WHERE lane.queue = :queue
