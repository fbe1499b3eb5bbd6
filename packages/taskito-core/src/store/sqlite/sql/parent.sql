-- Question: how does a job stand that another one is to wait for?
-- Index: primary key.
SELECT state, ended_by, error
FROM job
WHERE id = :id
