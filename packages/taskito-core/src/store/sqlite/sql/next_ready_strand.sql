-- Question: which strand of a lane has the job that runs first, as far as is known?
-- Index: strand_ready.
SELECT id
FROM strand
WHERE lane = :lane AND keyed = :keyed AND head IS NOT NULL AND waits_for IS NULL
ORDER BY priority DESC, run_at, head
LIMIT 1
