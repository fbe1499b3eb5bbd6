-- Limits: how many jobs of a queue run at once.
-- Index: primary key.
INSERT INTO queue_setting (name, max_concurrent)
VALUES (:name, :max_concurrent)
ON CONFLICT (name) DO UPDATE SET max_concurrent = :max_concurrent
