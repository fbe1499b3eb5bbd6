-- Arrow: claim, pending -> running.
-- Index: primary key.
UPDATE job
SET state = 'running', fence = fence + 1, owner = :owner, claimed_at = :now
WHERE id = :id AND state = 'pending'
RETURNING fence, retry_count, max_retries, losses, timeout_ms, payload
