-- Arrow: prune; is the job finished, and is none left that depends on it?
-- Index: primary keys, dependency_parent.
SELECT lane, state
FROM job
WHERE
    id = :id AND state IN ('complete', 'dead', 'cancelled')
    AND NOT EXISTS (
        SELECT 1
        FROM dependency
        CROSS JOIN job AS child ON child.id = dependency.job
        WHERE dependency.parent = job.id AND child.finished_at IS NULL
    )
