-- Question: of which queues are the jobs that are due and that no worker has made pending?
-- Index: job_promote, then the primary key of lane. SCAN is meant: of what was found there, up to the cap.
SELECT lane.queue
FROM (
    SELECT lane
    FROM job
    WHERE state = 'scheduled' AND run_at <= :now
    LIMIT :cap
) AS due
CROSS JOIN lane ON lane.id = due.lane
