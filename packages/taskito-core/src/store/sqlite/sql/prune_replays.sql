-- Arrow: prune, finished -> gone; the record of its repetitions.
-- Index: replay_original.
DELETE FROM replay
WHERE original = :id
