-- Arrow: advance_operation, one batch further.
-- Index: primary key.
UPDATE operation
SET
    reached = :reached, done = done + :done, skipped = skipped + :skipped, phase = :phase,
    driver = :driver, leased_until = :leased_until, next_at = :next_at,
    waits_until = :waits_until,
    ended_at = CASE WHEN :phase <> 'running' THEN :now END, report = :report
WHERE id = :id AND phase = 'running'
