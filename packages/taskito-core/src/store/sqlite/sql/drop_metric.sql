-- Arrow: none; a row of attempts was taken in by another one.
-- Index: primary key.
DELETE FROM metric
WHERE id = :id
