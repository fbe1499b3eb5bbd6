-- Roster: which schedules does a worker declare?
-- Index: primary key.
SELECT schedules
FROM worker
WHERE id = :id
