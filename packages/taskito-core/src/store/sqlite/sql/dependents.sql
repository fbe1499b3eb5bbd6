-- Question: which jobs depend on this one, oldest first?
-- Index: dependency_parent.
SELECT DISTINCT job
FROM dependency
WHERE parent = :parent
ORDER BY job
