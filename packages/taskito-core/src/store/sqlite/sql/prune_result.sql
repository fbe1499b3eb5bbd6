-- Arrow: prune, finished -> gone; its result.
-- Index: primary key.
DELETE FROM job_result
WHERE job = :id
