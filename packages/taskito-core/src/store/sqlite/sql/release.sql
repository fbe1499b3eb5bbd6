-- Arrow: release, blocked -> pending, or scheduled when the job has a delay: it begins now.
-- Index: primary key.
UPDATE job
SET state = :state, waiting_on = 0, run_at = :run_at
WHERE id = :id AND state = 'blocked' AND waiting_on = 1
