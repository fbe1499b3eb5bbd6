-- Every arrow: notes whether a lane has pending jobs, after its counters moved. Seldom changes a row.
-- Index: primary key.
UPDATE lane
SET ready = pending > 0
WHERE id = :id AND ready <> (pending > 0)
