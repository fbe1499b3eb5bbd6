-- Arrow: prune, finished -> gone; the record of what it repeated.
-- Index: primary key.
DELETE FROM replay
WHERE replay = :id
