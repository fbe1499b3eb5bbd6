-- Arrow: none; a stretch of time that is kept no longer by itself.
-- Index: primary key.
DELETE FROM rollup WHERE step_ms = :step_ms AND at = :at AND lane = :lane
