-- Question: which operations are under way, oldest first?
-- Index: operation_running. SCAN is meant: the index holds nothing but running ones.
SELECT
    id, verb, filter, terms, who, total, rate, stop_after, last, reached, done, skipped, phase,
    driver, leased_until, next_at, ended_at, report, started_at, canary, canary_wait_ms, waits_until
FROM operation INDEXED BY operation_running
WHERE phase = 'running'
ORDER BY id
LIMIT 100
