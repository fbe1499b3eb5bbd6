-- Question: how long does a lock stay held unless its holder does something?
-- Index: the names of lock.
SELECT good_until - :uptime
FROM lock
WHERE name = :name
AND boot = :boot AND good_until > :uptime AND good_until - ttl_ms <= :uptime
