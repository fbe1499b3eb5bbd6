-- Schedule: resume.
-- Index: primary key.
UPDATE schedule
SET enabled = 1, next_run = :next_run
WHERE name = :name
