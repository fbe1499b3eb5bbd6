-- Arrow: insert, for the first job of a strand.
-- Index: primary key.
INSERT INTO strand (lane, key_limiter, job_group)
VALUES (:lane, :key_limiter, :job_group)
