-- Question: the rows of attempts between two keys, oldest first.
-- Index: primary key.
SELECT id, samples, count, failures, sum, min, max, lane, at
FROM metric
WHERE id > :after AND id < :before
ORDER BY id
LIMIT :limit
