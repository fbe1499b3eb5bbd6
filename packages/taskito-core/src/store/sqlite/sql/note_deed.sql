-- Arrow: audit; what somebody did.
-- Index: primary key.
INSERT INTO audit (id, at, who, deed, subject, count)
VALUES (:id, :now, :who, :deed, :subject, :count)
