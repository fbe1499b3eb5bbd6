-- Arrow: prune, finished -> gone; its history.
-- Index: a_claim_fails_once.
DELETE FROM attempt
WHERE job = :id
