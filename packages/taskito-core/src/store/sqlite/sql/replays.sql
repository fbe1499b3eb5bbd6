-- Question: which jobs repeat this one, newest first?
-- Index: replay_original, primary keys.
SELECT replay.replay, replay.original, replay.replayed_at, original.error, copy.error
FROM replay
CROSS JOIN job AS original ON original.id = replay.original
CROSS JOIN job AS copy ON copy.id = replay.replay
WHERE replay.original = :job
ORDER BY replay.replay DESC
