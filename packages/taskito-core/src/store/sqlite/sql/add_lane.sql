-- Arrow: insert, for the first job of a queue and task.
-- Index: primary key.
INSERT INTO lane (queue, task)
VALUES (:queue, :task)
