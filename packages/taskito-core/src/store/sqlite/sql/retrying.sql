-- Question: how many jobs wait for another attempt, and when is the first of them due? Of how many?
-- Index: job_wait, which has all that is asked. SCAN is meant: up to the cap.
SELECT
    count(*) FILTER (WHERE retry_count > 0 AND run_at > :now),
    min(run_at) FILTER (WHERE retry_count > 0 AND run_at > :now), count(*)
FROM (
    SELECT run_at, retry_count
    FROM job
    WHERE state = 'scheduled' AND wait IS NOT NULL
    LIMIT :cap
)
