-- Question: the dead letters of a group of failures after that one, oldest first.
-- Index: job_failure.
SELECT dead_letter, id
FROM job
WHERE failure = :group AND dead_letter > :after
ORDER BY dead_letter
LIMIT :limit
