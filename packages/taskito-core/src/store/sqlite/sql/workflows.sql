-- Question: the workflows before that one, newest first.
-- Index: job_workflow, backwards, one seek for each. SCAN is meant: of what this finds, which is limited.
WITH RECURSIVE found (workflow) AS (
    SELECT max(workflow)
    FROM job
    WHERE workflow < :before
    UNION ALL
    SELECT (SELECT max(job.workflow) FROM job WHERE job.workflow < found.workflow)
    FROM found
    WHERE found.workflow IS NOT NULL
)
SELECT workflow
FROM found
WHERE workflow IS NOT NULL
LIMIT :limit
