-- Arrow: run_now, scheduled -> pending: due at once. What was due already keeps its place.
-- Index: primary key.
UPDATE job
SET state = 'pending', run_at = min(run_at, :now)
WHERE id = :id AND state = 'scheduled'
RETURNING lane, strand
