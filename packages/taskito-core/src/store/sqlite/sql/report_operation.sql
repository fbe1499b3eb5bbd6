-- Arrow: report_operation; what became of one that is over.
-- Index: primary key.
UPDATE operation
SET report = :report
WHERE id = :id AND phase <> 'running'
