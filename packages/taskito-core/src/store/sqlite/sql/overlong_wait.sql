-- Question: does a retry or snooze wait for longer than its length?
-- Index: job_wait.
SELECT 1
FROM job
WHERE state = 'scheduled' AND wait IS NOT NULL AND run_at - wait_ms > :latest
LIMIT 1
