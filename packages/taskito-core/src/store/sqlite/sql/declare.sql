-- Roster: a worker declares schedules.
-- Index: primary key.
UPDATE worker
SET schedules = :schedules
WHERE id = :id
