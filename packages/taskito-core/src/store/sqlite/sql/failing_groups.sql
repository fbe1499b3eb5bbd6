-- Question: which groups of failures are jobs in now, and how many?
-- Index: job_failure, which has all that is counted, then the primary key. SCAN is meant: the
-- index holds nothing but jobs that failed last.
SELECT
    failure_group.fingerprint, failure_group.task, failure_group.error_type,
    failure_group.template, failure_group.location, failure_group.first_seen,
    failure_group.last_seen, failure_group.state, number.dead, number.jobs - number.dead
FROM (
    SELECT failure, count(*) AS jobs, count(dead_letter) AS dead
    FROM job INDEXED BY job_failure
    WHERE failure IS NOT NULL
    GROUP BY failure
    ORDER BY failure
    LIMIT :limit
) AS number
CROSS JOIN failure_group ON failure_group.fingerprint = number.failure
ORDER BY number.failure
