-- Question: which jobs do groups of failures have, from one fingerprint to another?
-- Index: job_failure.
SELECT id
FROM job
WHERE failure >= :first AND failure <= :last AND id BETWEEN :from AND :to
LIMIT :limit
