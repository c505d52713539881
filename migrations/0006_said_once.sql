-- What is about to be said is noted before, so that it is not said twice, whatever is cut off in between.

-- The entry up to which the audit channel is being told, and since when.
ALTER TABLE audit_shown ADD COLUMN telling BIGINT NOT NULL DEFAULT 0;
ALTER TABLE audit_shown ADD COLUMN attempted_ms BIGINT;
