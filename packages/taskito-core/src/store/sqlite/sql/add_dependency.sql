-- Arrow: insert, for each parent of a job.
-- Index: a_place_is_taken_once.
INSERT INTO dependency (job, position, parent, is_input)
VALUES (:job, :position, :parent, :is_input)
