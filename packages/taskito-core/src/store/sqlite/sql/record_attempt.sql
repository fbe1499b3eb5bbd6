-- Arrows: retry, lose, bury; the history of the attempt, before the job moves.
-- Index: primary keys of job and worker. Inserts nothing when the claim is stale.
INSERT INTO attempt (
    id, job, attempt, fence, outcome, error, claimed_at, started_at, failed_at, worker, failure,
    message, frames
)
SELECT
    :id, job.id, job.retry_count, job.fence, :outcome, :error, job.claimed_at, :started_at, :now,
    (SELECT worker.hostname || ':' || worker.pid FROM worker WHERE worker.id = job.owner),
    :failure, :message, :frames
FROM job
WHERE job.id = :job AND job.state = 'running' AND job.fence = :fence
