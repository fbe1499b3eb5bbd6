-- Every arrow: a limiter that nobody uses is gone, unless it may have tokens to wait for.
-- Index: primary key.
DELETE FROM limiter
WHERE id = :id AND users = 0 AND arrival_ns = 0
