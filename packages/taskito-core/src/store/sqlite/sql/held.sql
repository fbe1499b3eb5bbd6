-- Question: what does a worker hold?
-- Index: job_held.
SELECT id, fence, lane, strand, max_retries, losses, cancel_requested
FROM job
WHERE owner = :owner AND state = 'running'
