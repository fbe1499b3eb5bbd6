-- Arrow: prune; groups of failures that have none left go, unless somebody silenced them.
-- Index: attempt_failure. SCAN is meant: groups are few, and attempts were deleted.
DELETE FROM failure_group
WHERE
    state <> 'silenced'
    AND NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.failure = failure_group.fingerprint)
