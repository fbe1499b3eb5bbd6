-- Question: how many jobs of a lane, or of one of its strands, run before a certain one?
-- Index: job_claim. SCAN is meant: of what was found there, up to the cap.
SELECT count(*)
FROM (
    SELECT 1
    FROM job
    WHERE
        lane = :lane AND strand IS :strand AND state = 'pending' AND losses = 0
        AND priority > :priority
    UNION ALL
    SELECT 1
    FROM job
    WHERE
        lane = :lane AND strand IS :strand AND state = 'pending' AND losses = 0
        AND priority = :priority AND run_at < :run_at
    UNION ALL
    SELECT 1
    FROM job
    WHERE
        lane = :lane AND strand IS :strand AND state = 'pending' AND losses = 0
        AND priority = :priority AND run_at = :run_at AND id < :id
    LIMIT :cap
)
