-- Question: which jobs of a stretch may meet a filter, newest first?
-- Index: primary key, backwards. What the states and lanes leave over is looked at by filter.rs.
SELECT
    id, lane, state, retry_count, created_at, run_at, claimed_at, finished_at, metadata, error,
    owner, failure, CASE WHEN :calls THEN preview END, CASE WHEN :calls THEN payload END
FROM job
WHERE
    id BETWEEN :from AND :to
    AND (:states IS NULL OR instr(:states, ' ' || state || ' ') > 0)
    AND (:lanes IS NULL OR instr(:lanes, ' ' || lane || ' ') > 0)
ORDER BY id DESC
