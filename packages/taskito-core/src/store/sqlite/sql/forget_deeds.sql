-- Arrow: forget_deeds; what people did long ago.
-- Index: primary key.
DELETE FROM audit
WHERE id < :before
