-- Question: which schedule fires when?
-- Index: schedule_due. SCAN is meant: they are few and all of them are wanted.
SELECT name, next_run
FROM schedule
WHERE next_run IS NOT NULL
ORDER BY next_run, name
