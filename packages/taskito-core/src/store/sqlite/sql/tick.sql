-- Arrow: tick, a schedule moves on to its next fire; the jobs of the last ones are inserted.
-- Index: primary key.
UPDATE schedule
SET next_run = :next_run, last_run = :last_run, last_job = :last_job, recent = :recent
WHERE name = :name
