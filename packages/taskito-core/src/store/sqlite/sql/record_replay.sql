-- Arrow: replay; which job repeats which.
-- Index: primary key.
INSERT INTO replay (replay, original, replayed_at)
VALUES (:replay, :original, :now)
