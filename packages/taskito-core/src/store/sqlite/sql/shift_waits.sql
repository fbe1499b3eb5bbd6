-- Waits: the clock was set, and the due times of retries and snoozes with it.
-- Index: job_wait. SCAN is meant: all of them move.
UPDATE job
SET run_at = run_at + :step
WHERE state = 'scheduled' AND wait IS NOT NULL
