-- Arrow: hand_back, running -> pending, unless it is to be cancelled. run_at keeps its place.
-- Index: primary key. OR FAIL: see complete.
UPDATE OR FAIL job
SET state = 'pending', owner = NULL, claimed_at = NULL
WHERE id = :id AND state = 'running' AND fence = :fence AND cancel_requested = 0
