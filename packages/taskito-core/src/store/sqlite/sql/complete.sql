-- Arrow: complete, running -> complete.
-- Index: primary key. OR FAIL: one row, so no journal of the statement is needed.
UPDATE OR FAIL job
SET state = 'complete', owner = NULL, started_at = :started_at, finished_at = :now, failure = NULL
WHERE id = :id AND state = 'running' AND fence = :fence
