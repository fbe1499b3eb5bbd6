-- Limits: before one is added, some are forgotten that nobody uses and whose tokens are back.
-- Index: limiter_idle, then the primary key.
DELETE FROM limiter
WHERE id IN (
    SELECT id
    FROM limiter
    WHERE users = 0 AND task IS NOT NULL AND arrival_ns <= :now_ns
    ORDER BY arrival_ns
    LIMIT 2
)
