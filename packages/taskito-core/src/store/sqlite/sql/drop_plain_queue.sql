-- Limits: a queue without settings needs no row.
-- Index: primary key.
DELETE FROM queue_setting
WHERE name = :name AND paused = 0 AND rate IS NULL AND max_concurrent IS NULL
