-- Question: when does the rate of a strand have a token again?
-- Index: strand_opens. SCAN is meant: it stops at the first entry.
SELECT opens_at
FROM strand
WHERE opens_at IS NOT NULL
ORDER BY opens_at
LIMIT 1
