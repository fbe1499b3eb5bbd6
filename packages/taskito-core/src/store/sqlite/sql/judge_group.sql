-- Failures: what people make of a group.
-- Index: primary key.
UPDATE failure_group
SET state = :state
WHERE fingerprint = :group
