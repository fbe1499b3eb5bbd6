-- Arrow: prune, finished -> gone; the job itself.
-- Index: primary key.
DELETE FROM job
WHERE id = :id
