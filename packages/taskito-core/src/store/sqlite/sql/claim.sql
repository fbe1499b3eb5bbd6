-- Arrow: claim, pending -> running. Without RETURNING, which builds a table for every row.
-- Index: primary key.
UPDATE job
SET state = 'running', fence = fence + 1, owner = :owner, claimed_at = :now
WHERE id = :id AND state = 'pending' AND (expires_at IS NULL OR expires_at > :now)
