-- Arrow: insert, for the first job of a limited group.
-- Index: primary key.
INSERT INTO limiter (max_running, outer_group)
VALUES (:max_running, :outer_group)
