-- Limits: jobs of a queue start again.
-- Index: primary key.
UPDATE queue_setting
SET paused = 0
WHERE name = :name
