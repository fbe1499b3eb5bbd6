-- Question: what is the name of a lane?
-- Index: primary key.
SELECT queue, task
FROM lane
WHERE id = :id
