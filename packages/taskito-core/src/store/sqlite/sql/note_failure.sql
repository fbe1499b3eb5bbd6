-- Arrows: retry, bury; the group of a failure has failed again. One that was resolved is open.
-- Index: primary key.
INSERT INTO failure_group (
    fingerprint, task, error_type, template, location, first_seen, last_seen
)
VALUES (:group, :task, :error_type, :template, :location, :now, :now)
ON CONFLICT (fingerprint) DO UPDATE
SET last_seen = :now, state = CASE state WHEN 'resolved' THEN 'open' ELSE state END
