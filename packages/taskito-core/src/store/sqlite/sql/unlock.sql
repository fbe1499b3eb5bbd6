-- Locks: its holder gives it back, and is told whether it had it until now.
-- Index: primary key.
DELETE FROM lock
WHERE fence = :fence
RETURNING boot = :boot AND good_until > :uptime AND good_until - ttl_ms <= :uptime
