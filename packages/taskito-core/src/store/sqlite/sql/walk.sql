-- Question: the jobs after that one, for whoever walks over all of them.
-- Index: primary key.
SELECT id, lane, state, finished_at, result_ttl_ms
FROM job
WHERE id > :after
ORDER BY id
LIMIT :limit
