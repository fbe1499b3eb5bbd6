-- Question: which jobs wait for this one? One that takes its result twice is named twice.
-- Index: dependency_parent, then the primary key of job.
SELECT job.id, job.lane, job.strand, job.waiting_on, job.wait_ms
FROM dependency
CROSS JOIN job ON job.id = dependency.job
WHERE dependency.parent = :parent AND job.state = 'blocked'
ORDER BY dependency.job
