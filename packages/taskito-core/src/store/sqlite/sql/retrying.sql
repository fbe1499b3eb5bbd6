-- Question: how many jobs wait for another attempt, if not too many?
-- Index: job_wait. SCAN is meant: of what was found there, up to the cap.
SELECT count(*)
FROM (
    SELECT 1
    FROM job
    WHERE state = 'scheduled' AND wait IS NOT NULL AND wait = 'backoff'
    LIMIT :cap
)
