-- Arrow: promote, scheduled -> pending, the earliest first.
-- Index: job_promote, then the primary key.
UPDATE job
SET state = 'pending'
WHERE id IN (
    SELECT id
    FROM job
    WHERE state = 'scheduled' AND run_at <= :now
    ORDER BY run_at, id
    LIMIT :limit
)
RETURNING lane, strand
