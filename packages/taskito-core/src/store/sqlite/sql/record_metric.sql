-- Arrows: complete, retry, bury; how long the attempts of a lane ran, once per transaction.
-- Index: primary key.
INSERT INTO metric (id, lane, at, samples)
VALUES (:id, :lane, :at, :samples)
