-- Waits: those that would begin in the future, told by another clock, begin now.
-- Index: job_wait.
UPDATE job
SET run_at = :now + wait_ms
WHERE state = 'scheduled' AND wait IS NOT NULL AND run_at - wait_ms > :latest
