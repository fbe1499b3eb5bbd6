-- Question: where does a stretch of so many jobs end that is searched oldest first?
-- Index: primary key.
SELECT id
FROM job
WHERE id BETWEEN :from AND :to
ORDER BY id
LIMIT 1 OFFSET :length
