-- Arrow: begin_operation, on all jobs that are there now.
-- Index: primary key of job, for the newest one.
INSERT INTO operation (
    id, verb, filter, terms, who, total, rate, stop_after, canary, canary_wait_ms, last, started_at
)
SELECT
    :id, :verb, :filter, :terms, :who, :total, :rate, :stop_after, :canary, :canary_wait_ms,
    coalesce((SELECT max(id) FROM job), 0), :now
