-- Question: which jobs does this one depend on, in the order in which they were named?
-- Index: a_place_is_taken_once.
SELECT parent
FROM dependency
WHERE job = :job
ORDER BY position
