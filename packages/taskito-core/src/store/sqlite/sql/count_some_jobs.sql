-- Question: how many jobs are there that counters cannot tell apart, if not too many?
-- Index: primary key. SCAN is meant: of what was found there, up to the cap.
SELECT count(*)
FROM (
    SELECT 1
    FROM job_row
    WHERE
        id BETWEEN :from AND :to
        AND (:status IS NULL OR instr(:status, ' ' || state || ' ') > 0)
        AND (:queue IS NULL OR queue = :queue)
        AND (:task IS NULL OR task = :task)
        AND created_at BETWEEN :created_from AND :created_to
        AND (:metadata IS NULL OR instr(metadata, :metadata) > 0)
        AND (:error IS NULL OR instr(error, :error) > 0)
    LIMIT :cap
)
