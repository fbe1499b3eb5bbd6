-- Question: which queues have settings of their own?
-- Index: none. SCAN is meant: a row per queue that somebody has set something for.
SELECT name, paused, rate, max_concurrent, arrival_ns
FROM queue_setting
