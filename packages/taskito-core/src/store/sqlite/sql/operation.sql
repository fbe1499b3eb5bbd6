-- Question: how far is one operation?
-- Index: primary key.
SELECT
    id, verb, filter, terms, who, total, rate, stop_after, last, reached, done, skipped, phase,
    driver, leased_until, next_at, ended_at, report, started_at, canary, canary_wait_ms, waits_until
FROM operation
WHERE id = :id
