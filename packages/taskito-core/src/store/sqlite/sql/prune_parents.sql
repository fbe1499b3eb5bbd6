-- Arrow: prune, finished -> gone; what it depended on.
-- Index: a_place_is_taken_once.
DELETE FROM dependency
WHERE job = :id
