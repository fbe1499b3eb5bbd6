-- Schedule: delete.
-- Index: primary key.
DELETE FROM schedule
WHERE name = :name
