-- What people do to an incident by hand: take it, hide it for a time, close it.
--
-- As in 0001: BIGINT and TEXT only, _ms is a time in milliseconds since 1970, a Discord id is a BIGINT. From here on
-- `incident.over_how` may be closed, `failure.state` closed, and `request.action` fixed.

ALTER TABLE incident ADD COLUMN began TEXT NOT NULL DEFAULT 'new'; -- new, came-back, snooze-over, new-person
UPDATE incident SET began = 'came-back' WHERE chapter > 1;

ALTER TABLE incident ADD COLUMN claimed_by BIGINT;
ALTER TABLE incident ADD COLUMN claimed_ms BIGINT;

ALTER TABLE incident ADD COLUMN snoozed_by BIGINT;
ALTER TABLE incident ADD COLUMN snoozed_ms BIGINT;
ALTER TABLE incident ADD COLUMN snoozed_until_ms BIGINT;
CREATE INDEX incident_snoozed ON incident (snoozed_until_ms) WHERE snoozed_until_ms IS NOT NULL;

ALTER TABLE incident ADD COLUMN closed_by BIGINT;
ALTER TABLE incident ADD COLUMN closed_why TEXT;
