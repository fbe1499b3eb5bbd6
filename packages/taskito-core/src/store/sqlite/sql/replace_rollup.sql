-- Arrows: complete, retry, bury; more attempts of a lane in a stretch of time.
-- Index: primary key. OR FAIL: one row, so no journal of the statement is needed.
UPDATE OR FAIL rollup
SET done = :done, failed = :failed, retried = :retried, wait = :wait, run = :run
WHERE step_ms = :step_ms AND at = :at AND lane = :lane
