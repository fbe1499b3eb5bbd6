-- Question: what did people do, newest first?
-- Index: primary key, backwards. SCAN is meant: bounded by LIMIT.
SELECT id, at, who, deed, subject, count
FROM audit
ORDER BY id DESC
LIMIT :limit
