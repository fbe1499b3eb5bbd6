-- Arrow: cancel, blocked -> cancelled, because a job it depends on ended without a result.
-- Index: primary key.
UPDATE job
SET state = 'cancelled', finished_at = :now, error = :error, ended_by = :root
WHERE id = :id AND state = 'blocked'
