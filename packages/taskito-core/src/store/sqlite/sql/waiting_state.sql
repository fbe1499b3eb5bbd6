-- Question: where and in which state does this job wait?
-- Index: primary key.
SELECT lane, strand, state
FROM job
WHERE id = :id AND state IN ('blocked', 'scheduled', 'pending')
