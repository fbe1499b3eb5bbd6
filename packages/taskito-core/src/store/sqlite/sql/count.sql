-- Every arrow: moves the counters of a lane along, once per transaction.
-- Index: primary key.
UPDATE lane
SET
    blocked = blocked + :blocked,
    scheduled = scheduled + :scheduled,
    pending = pending + :pending,
    running = running + :running,
    complete = complete + :complete,
    dead = dead + :dead,
    cancelled = cancelled + :cancelled,
    keyed = keyed + :keyed
WHERE id = :id
