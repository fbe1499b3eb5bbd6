-- Arrow: restore_letter; a dead job has a dead letter again.
-- Index: primary key.
UPDATE job
SET dead_letter = :dead_letter
WHERE id = :id AND state = 'dead' AND dead_letter IS NULL
