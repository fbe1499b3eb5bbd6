-- Question: how many dead letters have keys from that one on?
-- Index: job_dead_letter. SCAN is meant: of what was found there, up to the cap.
SELECT count(*)
FROM (
    SELECT 1
    FROM job
    WHERE dead_letter >= :from
    LIMIT :cap
)
