-- Locks: its holder keeps it for as long again, unless it has lapsed.
-- Index: primary key.
UPDATE lock
SET good_until = :uptime + ttl_ms
WHERE fence = :fence
AND boot = :boot AND good_until > :uptime AND good_until - ttl_ms <= :uptime
