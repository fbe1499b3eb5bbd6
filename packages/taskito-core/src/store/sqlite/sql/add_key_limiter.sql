-- Limits: the first job of a task that is counted by this key, or without any.
-- Index: primary key.
INSERT INTO limiter (task, limit_key)
VALUES (:task, :limit_key)
