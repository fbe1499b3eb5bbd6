-- Question: what does a worker hold?
-- Index: job_held.
SELECT id, fence, lane, max_retries, losses, cancel_requested
FROM job
WHERE owner = :owner AND state = 'running'
