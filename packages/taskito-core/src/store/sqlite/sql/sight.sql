-- Question: does this job meet a filter? What filter.rs asks, and its dead letter.
-- Index: primary key.
SELECT
    id, lane, state, retry_count, created_at, run_at, claimed_at, finished_at, metadata, error,
    owner, failure, CASE WHEN :calls THEN preview END, CASE WHEN :calls THEN payload END,
    dead_letter
FROM job
WHERE id = :id
