-- Question: who waits first for a limiter in this lane?
-- Index: strand_waiting.
SELECT id, lane, keyed, opens_at
FROM strand
WHERE waits_for = :limiter AND head IS NOT NULL AND lane = :lane AND keyed = :keyed
ORDER BY priority DESC, run_at, head
LIMIT 1
