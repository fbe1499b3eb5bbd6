-- Question: to which lanes did the newest jobs come, and when?
-- Index: primary key, backwards.
SELECT lane, created_at
FROM job
WHERE id >= :from AND created_at >= :since
ORDER BY id DESC
LIMIT :cap
