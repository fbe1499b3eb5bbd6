-- Arrow: hand_back, running -> pending. The job keeps its place: run_at does not change.
-- Index: primary key.
UPDATE job
SET state = 'pending', owner = NULL, claimed_at = NULL
WHERE id = :id AND state = 'running' AND fence = :fence
