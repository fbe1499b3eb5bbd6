-- Roster: a worker is asked to leave.
-- Index: primary key.
UPDATE worker
SET drain_requested = 1
WHERE id = :id
