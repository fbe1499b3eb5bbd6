-- Question: how did the clock of the machine stand when it was last noted?
-- Index: primary key.
SELECT boot, clock_offset
FROM taskito
WHERE one = 1
