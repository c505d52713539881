-- What a person's assignment held before a request took it away, and who did what was asked for.
--
-- As in 0001: BIGINT and TEXT only, _ms is a time in milliseconds since 1970.

-- Personal data, and so in a table of its own: a row is deleted once what it holds stands in the new assignment, or when
-- somebody has it erased, or in time. Only its hash is in the audit, for good.
CREATE TABLE saved_profile (
    request  BIGINT PRIMARY KEY REFERENCES request (number),
    person   TEXT NOT NULL,
    profile  TEXT NOT NULL,           -- JSON
    saved_ms BIGINT NOT NULL
);

-- Who did it, as Okta's log names them: JSON; only where the stage is succeeded, and where the log says so.
ALTER TABLE request ADD COLUMN done_by TEXT;
