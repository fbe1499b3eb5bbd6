-- Question: what is known of the attempts of a lane in one stretch of time?
-- Index: primary key.
SELECT done, failed, retried, wait, run
FROM rollup
WHERE step_ms = :step_ms AND at = :at AND lane = :lane
