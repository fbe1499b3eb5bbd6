-- Arrow: lose, running -> pending. The job keeps its place: run_at does not change.
-- Index: primary key.
UPDATE job
SET state = 'pending', owner = NULL, claimed_at = NULL, losses = losses + 1
WHERE id = :id AND state = 'running' AND fence = :fence
