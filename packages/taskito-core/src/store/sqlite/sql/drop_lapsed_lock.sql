-- Locks: one that is to be taken has lapsed.
-- Index: the names of lock.
DELETE FROM lock
WHERE name = :name
AND (boot <> :boot OR good_until <= :uptime OR good_until - ttl_ms > :uptime)
