-- Question: has this job reached a final state?
-- Index: primary key.
SELECT state
FROM job
WHERE id = :id
