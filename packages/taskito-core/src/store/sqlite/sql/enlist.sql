-- Roster: a worker arrives.
-- Index: primary key.
INSERT INTO worker (
    key, hostname, pid, version, queues, tasks, concurrency, started_at, heartbeat_at
)
VALUES (
    :key, :hostname, :pid, :version, :queues, :tasks, :concurrency, :now, :now
)
