-- Question: one group of failures.
-- Index: primary key, job_failure for the numbers.
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
WHERE fingerprint = :group
