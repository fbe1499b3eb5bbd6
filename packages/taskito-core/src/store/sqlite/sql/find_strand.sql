-- Question: which strand is for jobs of this lane, key and group?
-- Index: strand_of.
SELECT id
FROM strand
WHERE lane = :lane AND key_limiter IS :key_limiter AND job_group IS :job_group
