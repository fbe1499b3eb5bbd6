-- Question: which strands of a lane have the jobs that run first, as far as is known?
-- Index: strand_ready.
SELECT id
FROM strand
WHERE lane = :lane AND keyed = :keyed AND head IS NOT NULL AND waits_for IS NULL
ORDER BY priority DESC, run_at, head
LIMIT :limit
