-- Question: which is the first job, from a key on, that others were ever to wait for?
-- Index: dependency_parent.
SELECT parent
FROM dependency
WHERE parent >= :key
ORDER BY parent
LIMIT 1
