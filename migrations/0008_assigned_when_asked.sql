-- How many people were assigned to the app when it was asked for: an approver reads it, too. Missing where it was not counted,
-- and in requests from before.
ALTER TABLE request ADD COLUMN assigned_person BIGINT;
ALTER TABLE request ADD COLUMN assigned_group BIGINT;
ALTER TABLE request ADD COLUMN assigned_more BIGINT;
