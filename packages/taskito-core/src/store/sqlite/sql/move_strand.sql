-- Every arrow: the strand of a job, once per transaction: its jobs, its head, what holds it back.
-- Index: primary key.
UPDATE strand
SET
    unfinished = :unfinished, head = :head, priority = :priority, run_at = :run_at,
    waits_for = :waits_for, opens_at = :opens_at
WHERE id = :id
