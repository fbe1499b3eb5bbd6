-- Roster: is a worker on it?
-- Index: primary key.
SELECT id
FROM worker
WHERE id = :id
