-- Question: which jobs between two have failed last as certain groups of failures, in whatever order?
-- Index: job_failure; the plus keeps the primary key out of it.
SELECT id
FROM job
WHERE failure BETWEEN :first AND :last AND +id BETWEEN :from AND :to
