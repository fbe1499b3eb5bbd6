-- Locks: before one is taken, some go that lapsed and that nobody may ever ask for again.
-- Index: lock_lapse, three ranges of it.
DELETE FROM lock
WHERE fence IN (
    SELECT fence
    FROM lock
    WHERE boot < :boot OR boot > :boot OR (boot = :boot AND good_until <= :uptime)
    LIMIT 2
)
