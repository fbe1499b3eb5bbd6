-- Schedule: pause.
-- Index: primary key.
UPDATE schedule
SET enabled = 0, next_run = NULL
WHERE name = :name
