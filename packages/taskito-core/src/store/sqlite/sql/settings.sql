-- Arrow: replay; what a job was told to do, to do it once more.
-- Index: primary keys.
SELECT
    lane.queue, lane.task, job.priority, job.max_retries, job.timeout_ms, job.result_ttl_ms,
    job.limit_key, job.payload, job.preview
FROM job
CROSS JOIN lane ON lane.id = job.lane
WHERE job.id = :id
