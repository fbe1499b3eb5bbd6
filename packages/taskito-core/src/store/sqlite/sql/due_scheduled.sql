-- Question: which jobs are due that no worker has made pending?
-- Index: job_promote.
SELECT lane, run_at
FROM job
WHERE state = 'scheduled' AND run_at <= :now
ORDER BY run_at
