-- Limits: those of a task changed; what they held back is looked at again.
-- Index: lane_task, strand_of, then the primary key.
UPDATE strand
SET waits_for = NULL, opens_at = NULL
WHERE id IN (
    SELECT strand.id
    FROM lane
    CROSS JOIN strand ON strand.lane = lane.id
    WHERE lane.task = :task AND strand.waits_for IS NOT NULL
)
