-- Arrow: none; a row of attempts takes in the others of its minute and lane.
-- Index: primary key.
UPDATE metric
SET at = :at, count = :count, failures = :failures, sum = :sum, min = :min, max = :max, samples = :samples
WHERE id = :id
