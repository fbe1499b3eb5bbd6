-- Question: what did people mark between two instants, newest first?
-- Index: audit_mark, backwards.
SELECT id, at, who, deed, subject, count
FROM audit
WHERE id >= :from AND id < :to AND deed = 'mark'
ORDER BY id DESC
LIMIT :limit
