-- Arrow: note_progress; how far a running attempt has come. Changes nothing when the claim is stale.
-- Index: primary key.
UPDATE job
SET progress = :progress
WHERE id = :id AND state = 'running' AND fence = :fence
