-- Arrow: prune, finished -> gone; what it depended on.
-- Index: a_parent_counts_once.
DELETE FROM dependency
WHERE job = :id
