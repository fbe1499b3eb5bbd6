-- Question: since when is the oldest job of a lane due that waits in a strand or was lost before?
-- Index: job_claim, job_suspect. Every such job is read, from the index alone.
SELECT min(run_at)
FROM (
    SELECT min(run_at) AS run_at
    FROM job
    WHERE lane = :lane AND strand IS NOT NULL AND state = 'pending' AND losses = 0
    UNION ALL
    SELECT min(run_at)
    FROM job
    WHERE lane = :lane AND state = 'pending' AND losses > 0
)
