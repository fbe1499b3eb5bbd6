-- Arrows: complete, retry, bury; the first attempts of a lane in a stretch of time.
-- Index: primary key. OR FAIL: one row, so no journal of the statement is needed.
INSERT OR FAIL INTO rollup (step_ms, at, lane, done, failed, retried, wait, run)
VALUES (:step_ms, :at, :lane, :done, :failed, :retried, :wait, :run)
