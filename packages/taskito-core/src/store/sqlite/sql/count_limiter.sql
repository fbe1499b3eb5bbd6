-- Every arrow: moves the counters of a limiter along, once per transaction.
-- Index: primary key.
UPDATE limiter
SET running = running + :running, users = users + :users
WHERE id = :id
