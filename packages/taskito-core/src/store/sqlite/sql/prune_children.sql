-- Arrow: prune, finished -> gone; what depended on it.
-- Index: dependency_parent.
DELETE FROM dependency
WHERE parent = :id
