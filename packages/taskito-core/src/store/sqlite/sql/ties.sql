-- Question: what do these jobs of a workflow wait for? Bounded by the range of jobs.
-- Index: job_workflow, a_place_is_taken_once.
SELECT dependency.job, dependency.parent, dependency.is_input
FROM job
CROSS JOIN dependency ON dependency.job = job.id
WHERE job.workflow = :workflow AND job.id BETWEEN :first AND :last
ORDER BY job.id, dependency.position
