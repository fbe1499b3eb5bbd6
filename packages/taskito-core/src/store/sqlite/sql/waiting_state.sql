-- Question: in which lane and state does this job wait?
-- Index: primary key.
SELECT lane, state
FROM job
WHERE id = :id AND state IN ('blocked', 'scheduled', 'pending')
