-- Question: what is known of a strand?
-- Index: primary key.
SELECT lane, key_limiter, job_group, unfinished, head, priority, run_at, waits_for, opens_at
FROM strand
WHERE id = :id
