-- Question: when was the oldest job stored that is still there?
-- Index: primary key. SCAN is meant: it stops at the first entry.
SELECT created_at
FROM job
ORDER BY id
LIMIT 1
