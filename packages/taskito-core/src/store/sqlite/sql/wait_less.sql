-- Arrow: none yet; a parent of a blocked job is complete, others are not.
-- Index: primary key.
UPDATE job
SET waiting_on = waiting_on - 1
WHERE id = :id AND state = 'blocked' AND waiting_on > 1
