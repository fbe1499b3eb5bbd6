-- Arrow: none; old rows of attempts go, the oldest first.
-- Index: primary key.
DELETE FROM metric
WHERE id IN (
    SELECT id
    FROM metric
    WHERE id < :before
    ORDER BY id
    LIMIT :limit
)
