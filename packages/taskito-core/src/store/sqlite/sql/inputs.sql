-- Question: which results does a job take, in which order? One that is gone reads as empty.
-- Index: a_place_is_taken_once, then the primary key of job_result.
SELECT ifnull(job_result.result, x'')
FROM dependency
LEFT JOIN job_result ON job_result.job = dependency.parent
WHERE dependency.job = :job AND dependency.is_input = 1
ORDER BY dependency.position
