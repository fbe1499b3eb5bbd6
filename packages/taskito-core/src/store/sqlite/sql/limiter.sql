-- Question: what is known of a limiter?
-- Index: primary key.
SELECT max_running, outer_group, running, arrival_ns, interval_ns
FROM limiter
WHERE id = :id
