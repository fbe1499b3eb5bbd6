-- Locks: nobody holds it, so now somebody does. The fence is the next of the database.
-- Index: the names of lock.
INSERT INTO lock (name, ttl_ms, boot, good_until)
SELECT :name, :ttl_ms, :boot, :good_until
WHERE NOT EXISTS (SELECT 1 FROM lock WHERE name = :name)
RETURNING fence
