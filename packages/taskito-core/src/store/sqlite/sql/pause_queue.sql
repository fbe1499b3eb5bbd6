-- Limits: jobs of a queue stop starting.
-- Index: primary key.
INSERT INTO queue_setting (name, paused)
VALUES (:name, 1)
ON CONFLICT (name) DO UPDATE SET paused = 1
