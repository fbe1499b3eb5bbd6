-- Question: which jobs does this one depend on, in the order in which they were named?
-- Index: a_place_is_taken_once, primary key.
SELECT dependency.parent
FROM dependency
CROSS JOIN job ON job.id = dependency.parent
WHERE dependency.job = :job
ORDER BY dependency.position
