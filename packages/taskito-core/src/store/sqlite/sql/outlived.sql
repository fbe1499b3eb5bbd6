-- Question: which jobs have outlived their own time to live, and who of them may go?
-- Index: job_outlived, dependency_parent, primary key.
SELECT id
FROM job
WHERE
    finished_at + result_ttl_ms <= :now AND result_ttl_ms IS NOT NULL AND finished_at IS NOT NULL
    AND NOT EXISTS (
        SELECT 1
        FROM dependency
        CROSS JOIN job AS child ON child.id = dependency.job
        WHERE dependency.parent = job.id AND child.finished_at IS NULL
    )
ORDER BY finished_at + result_ttl_ms
LIMIT :limit
