-- Question: the failed attempts of a group, newest first.
-- Index: attempt_failure, backwards, then the primary key of failure_group.
SELECT
    attempt.id, attempt.job, attempt.attempt, attempt.fence, attempt.outcome, attempt.error,
    attempt.claimed_at, attempt.started_at, attempt.failed_at, attempt.worker, attempt.failure,
    failure_group.error_type, attempt.message, attempt.frames
FROM attempt
LEFT JOIN failure_group ON failure_group.fingerprint = attempt.failure
WHERE attempt.failure = :group
ORDER BY attempt.id DESC
LIMIT :limit
