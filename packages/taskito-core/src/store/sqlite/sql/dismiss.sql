-- Roster: a worker that holds nothing leaves.
-- Index: primary key. The caller has seen that it holds nothing.
DELETE FROM worker
WHERE id = :id
