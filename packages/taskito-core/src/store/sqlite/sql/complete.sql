-- Arrow: complete, running -> complete.
-- Index: primary key.
UPDATE job
SET state = 'complete', owner = NULL, finished_at = :now
WHERE id = :id AND state = 'running' AND fence = :fence
