-- Question: which stretches of that length began before then? The oldest first.
-- Index: primary key.
SELECT done, failed, retried, wait, run, at, lane
FROM rollup
WHERE step_ms = :step_ms AND at < :before
ORDER BY at, lane
LIMIT :limit
