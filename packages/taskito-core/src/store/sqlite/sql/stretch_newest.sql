-- Question: where does a stretch of so many jobs end that is searched newest first?
-- Index: primary key, backwards.
SELECT id
FROM job
WHERE id BETWEEN :from AND :to
ORDER BY id DESC
LIMIT 1 OFFSET :length
