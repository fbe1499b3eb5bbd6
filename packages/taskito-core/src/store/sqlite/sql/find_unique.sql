-- Question: which unfinished job holds this unique key?
-- Index: job_unique.
SELECT id
FROM job
WHERE unique_key = :key AND finished_at IS NULL
