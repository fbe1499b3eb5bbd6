-- Arrow: none; somebody says how far a job has come.
-- Index: primary key.
UPDATE job
SET progress = :progress
WHERE id = :id
