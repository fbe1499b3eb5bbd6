-- Question: how many of the first jobs of a workflow stand where, since when, which one failed first?
-- Index: job_workflow. SCAN is meant: of the rows of the inner question, which has a limit.
SELECT
    count(*) FILTER (WHERE state = 'pending' OR state = 'scheduled' OR state = 'blocked'),
    count(*) FILTER (WHERE state = 'running'),
    count(*) FILTER (WHERE state = 'complete'),
    count(*) FILTER (WHERE state = 'dead'),
    count(*) FILTER (WHERE state = 'cancelled'),
    min(claimed_at), max(finished_at), min(id) FILTER (WHERE state = 'dead')
FROM (
    SELECT id, state, claimed_at, finished_at
    FROM job
    WHERE workflow = :workflow
    ORDER BY id
    LIMIT :most
)
