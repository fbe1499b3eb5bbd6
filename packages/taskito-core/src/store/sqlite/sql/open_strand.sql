-- Limits: a strand may be claimed from again.
-- Index: primary key.
UPDATE strand
SET waits_for = NULL, opens_at = NULL
WHERE id = :id
