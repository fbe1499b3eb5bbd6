-- Arrow: cancel, blocked, scheduled or pending -> cancelled.
-- Index: primary key. The state it had is needed for the counters: see waiting_state.
UPDATE job
SET state = 'cancelled', finished_at = :now, failure = NULL
WHERE id = :id AND state IN ('blocked', 'scheduled', 'pending')
