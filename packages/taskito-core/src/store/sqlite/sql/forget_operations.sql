-- Arrow: forget_deeds; operations that are over since long ago.
-- Index: primary key.
DELETE FROM operation
WHERE id < :before AND phase <> 'running'
