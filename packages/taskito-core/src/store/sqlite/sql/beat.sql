-- Roster: a worker lives.
-- Index: primary key.
UPDATE worker
SET
    heartbeat_at = :now, tasks = :tasks, draining = :draining, abandoned = :abandoned, ended = :ended,
    rss = :rss
WHERE id = :id
