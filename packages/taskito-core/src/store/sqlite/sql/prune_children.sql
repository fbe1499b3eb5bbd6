-- Arrow: prune, finished -> gone; what waited for it. Who took its result keeps the record of that.
-- Index: dependency_parent.
DELETE FROM dependency
WHERE parent = :id AND is_input = 0
