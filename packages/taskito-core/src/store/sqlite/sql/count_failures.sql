-- Question: how many attempts of a group have keys in that range?
-- Index: attempt_failure.
SELECT count(*)
FROM attempt
WHERE failure = :group AND id >= :from AND id < :to
