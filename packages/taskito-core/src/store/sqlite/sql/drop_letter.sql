-- Arrow: revive; the letter is gone, the old job stays dead.
-- Index: job_dead_letter.
UPDATE job
SET dead_letter = NULL, failure = NULL
WHERE dead_letter = :dead_letter
