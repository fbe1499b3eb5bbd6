-- Arrow: restore_letter; a dead job has a dead letter again, and counts in the group of its failure.
-- Index: primary key; a_claim_fails_once for its last attempt.
UPDATE job
SET
    dead_letter = :dead_letter,
    failure = (
        SELECT attempt.failure
        FROM attempt
        WHERE attempt.job = job.id
        ORDER BY attempt.fence DESC
        LIMIT 1
    )
WHERE id = :id AND state = 'dead' AND dead_letter IS NULL
