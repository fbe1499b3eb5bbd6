-- Question: the failed and lost attempts of a job, oldest first.
-- Index: a_claim_fails_once.
SELECT id, job, attempt, fence, outcome, error, claimed_at, started_at, failed_at
FROM attempt
WHERE job = :job
ORDER BY fence
