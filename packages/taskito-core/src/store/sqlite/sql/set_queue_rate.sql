-- Limits: how fast jobs of a queue start.
-- Index: primary key.
INSERT INTO queue_setting (name, rate)
VALUES (:name, :rate)
ON CONFLICT (name) DO UPDATE SET rate = :rate
