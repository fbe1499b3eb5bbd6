-- Limits: a token was put back; all that wait for this limiter are looked at again.
-- Index: strand_waiting.
UPDATE strand
SET waits_for = NULL, opens_at = NULL
WHERE waits_for = :limiter AND head IS NOT NULL
