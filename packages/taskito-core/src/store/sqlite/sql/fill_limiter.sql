-- Limits: tokens of a task or key are taken or put back.
-- Index: primary key.
UPDATE limiter
SET arrival_ns = :arrival_ns, interval_ns = :interval_ns
WHERE id = :id
