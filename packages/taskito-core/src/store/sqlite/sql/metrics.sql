-- Question: how long did attempts run since then?
-- Index: primary key.
SELECT
    lane.task, metric.samples, metric.count, metric.failures, metric.sum, metric.min, metric.max
FROM metric
CROSS JOIN lane ON lane.id = metric.lane
WHERE metric.id >= :from AND metric.at >= :since AND (:task IS NULL OR lane.task = :task)
