-- Limits: tokens of a queue are taken or put back.
-- Index: primary key.
UPDATE queue_setting
SET arrival_ns = :arrival_ns
WHERE name = :name
