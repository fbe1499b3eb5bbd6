-- Question: of the oldest jobs that were stored before, how many are over?
-- Index: primary key. SCAN is meant: of the rows that were picked, :limit at most.
SELECT count(*) FILTER (WHERE state = 'complete' OR state = 'dead' OR state = 'cancelled')
FROM (
    SELECT state
    FROM job
    WHERE id < :before
    ORDER BY id
    LIMIT :limit
)
