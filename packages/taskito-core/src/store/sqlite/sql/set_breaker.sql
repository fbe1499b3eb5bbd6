-- Limits: what the code of a worker says about the breaker of a task.
-- Index: primary key.
INSERT INTO breaker (task, threshold, window_ms, cooldown_ms)
VALUES (:task, :threshold, :window_ms, :cooldown_ms)
ON CONFLICT (task) DO UPDATE SET
    threshold = :threshold, window_ms = :window_ms, cooldown_ms = :cooldown_ms
