-- Arrow: claim, pending -> running. Without RETURNING, which builds a table for every row.
-- Index: primary key. OR FAIL: one row, so no journal of the statement is needed.
UPDATE OR FAIL job
SET state = 'running', fence = fence + 1, owner = :owner, claimed_at = :now
WHERE id = :id AND state = 'pending' AND (expires_at IS NULL OR expires_at > :now)
