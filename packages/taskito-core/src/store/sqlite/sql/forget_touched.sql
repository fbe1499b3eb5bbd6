-- Arrow: forget_deeds; which jobs operations touched long ago.
-- Index: primary key.
DELETE FROM operation_job
WHERE operation < :before
