-- Question: the jobs of a workflow after that one, oldest first.
-- Index: job_workflow.
SELECT
    job.id, lane.queue, lane.task, job.state, job.claimed_at, job.finished_at, job.dead_letter,
    job.ended_by, job.inputs
FROM job
CROSS JOIN lane ON lane.id = job.lane
WHERE job.workflow = :workflow AND job.id > :after
ORDER BY job.id
LIMIT :limit
