-- Question: groups of failures, the one that failed last first.
-- Index: failure_group_seen, backwards, job_failure for the numbers. SCAN is meant: groups are few.
SELECT
    fingerprint, task, error_type, template, location, first_seen, last_seen, state,
    (
        SELECT count(*) FROM job
        WHERE job.failure = failure_group.fingerprint AND job.dead_letter IS NOT NULL
    ) AS dead,
    (
        SELECT count(*) FROM job
        WHERE job.failure = failure_group.fingerprint AND job.dead_letter IS NULL
    ) AS retrying
FROM failure_group
WHERE (:state IS NULL OR state = :state) AND (:task IS NULL OR task = :task)
ORDER BY last_seen DESC, fingerprint DESC
LIMIT :limit
