-- Question: who waits first for a limiter, in the next lane that has somebody?
-- Index: strand_waiting.
SELECT id, lane, keyed, opens_at
FROM strand
WHERE waits_for = :limiter AND head IS NOT NULL AND (lane, keyed) > (:lane, :keyed)
ORDER BY lane, keyed, priority DESC, run_at, head
LIMIT 1
