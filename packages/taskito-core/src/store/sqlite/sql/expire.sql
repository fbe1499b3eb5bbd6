-- Arrow: expire, blocked, scheduled or pending -> cancelled, because it is too late to start.
-- Index: primary key.
UPDATE job
SET state = 'cancelled', finished_at = :now, failure = NULL, error = :error
WHERE id = :id AND state IN ('blocked', 'scheduled', 'pending') AND expires_at <= :now
