-- Limits: strands whose rate has a token again may be claimed from.
-- Index: strand_opens, then the primary key.
UPDATE strand
SET waits_for = NULL, opens_at = NULL
WHERE id IN (
    SELECT id
    FROM strand
    WHERE opens_at <= :now
    ORDER BY opens_at
    LIMIT :limit
)
