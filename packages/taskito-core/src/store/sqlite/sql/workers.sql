-- Question: which workers are registered, and how much does each hold?
-- Index: job_held. SCAN is meant: the roster is short and all of it is wanted.
SELECT
    worker.id, key, hostname, pid, version, queues, tasks, concurrency, draining,
    started_at, heartbeat_at,
    (SELECT count(*) FROM job WHERE owner = worker.id AND state = 'running'),
    schedules, abandoned, rss, drain_requested, ended
FROM worker
ORDER BY worker.id
