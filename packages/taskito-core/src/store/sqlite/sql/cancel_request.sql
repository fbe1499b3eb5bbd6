-- Arrow: cancel_request; the job goes on running until its worker heeds it.
-- Index: primary key.
UPDATE job
SET cancel_requested = 1
WHERE id = :id AND state = 'running'
