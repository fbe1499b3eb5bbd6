-- Every arrow: a strand without unfinished jobs is gone.
-- Index: primary key.
DELETE FROM strand
WHERE id = :id
