-- Waits: how the clock of the machine stands.
-- Index: primary key.
UPDATE taskito
SET boot = :boot, clock_offset = :clock_offset
WHERE one = 1
