-- Question: is this claim of a job still the current one?
-- Index: primary key.
SELECT 1
FROM job
WHERE id = :id AND fence = :fence AND state = 'running'
