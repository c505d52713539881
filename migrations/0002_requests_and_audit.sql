-- What people asked for, what became of it, and the record of who did what.
--
-- As in 0001: BIGINT and TEXT only, _ms is a time in milliseconds since 1970, a yes or no is 1 or 0, a Discord id is a
-- BIGINT.

-- Requests are never deleted: their numbers are not used twice. Everything up to `hash` is frozen when it is made.
CREATE TABLE request (
    number           BIGINT PRIMARY KEY,
    org              TEXT NOT NULL,
    app              TEXT NOT NULL,
    app_label        TEXT NOT NULL,
    action           TEXT NOT NULL,   -- enable, retry, reassign
    method           TEXT NOT NULL,   -- api, guided
    people           TEXT NOT NULL,   -- JSON, in order
    state_before     TEXT NOT NULL,
    approvals_wanted BIGINT NOT NULL,
    expires_ms       BIGINT NOT NULL, -- how long it may wait
    requester        BIGINT NOT NULL,
    requester_person TEXT,
    breakglass       BIGINT NOT NULL,
    hash             TEXT NOT NULL,
    reason           TEXT NOT NULL,
    incident         BIGINT,
    created_ms       BIGINT NOT NULL,
    deadline_ms      BIGINT NOT NULL,
    stage            TEXT NOT NULL,
    stage_ms         BIGINT,          -- since when or when, where the stage has a time
    stage_by         BIGINT,          -- who, where the stage has somebody
    stage_why        TEXT,            -- why, where the stage has a reason
    confirmed        BIGINT NOT NULL, -- whether it ever was more than a draft: only then it has a card
    ended            BIGINT NOT NULL, -- whether nothing more happens to it
    revision         BIGINT NOT NULL
);
CREATE INDEX request_open ON request (number) WHERE ended = 0;

CREATE TABLE approval (
    request BIGINT NOT NULL REFERENCES request (number),
    place   BIGINT NOT NULL,          -- from 1
    member  BIGINT NOT NULL,
    person  TEXT,
    at_ms   BIGINT NOT NULL,
    PRIMARY KEY (request, place),
    UNIQUE (request, member)
);

-- What became of each person; a row each from the beginning.
CREATE TABLE request_outcome (
    request  BIGINT NOT NULL REFERENCES request (number),
    person   TEXT NOT NULL,
    state    TEXT NOT NULL,           -- waiting, pushing, pushed, proven, failed, skipped
    at_ms    BIGINT,                  -- pushing: since when; pushed: when; proven: when, by Okta's clock
    why      TEXT,                    -- failed
    proof    TEXT,                    -- proven: the event
    strength TEXT,                    -- proven: account, profile
    PRIMARY KEY (request, person)
);

-- How a request's card stands in the channel.
CREATE TABLE request_showing (
    request      BIGINT PRIMARY KEY REFERENCES request (number),
    channel      BIGINT NOT NULL,
    attempted_ms BIGINT NOT NULL,
    message      BIGINT,
    shown_ms     BIGINT,
    revision     BIGINT NOT NULL,
    let_go       BIGINT NOT NULL
);

-- Append-only: the program has no statement that changes or deletes a row of it. Each row's hash goes over its other
-- columns, the hash of the row before included. It holds ids, no names. No references: it outlives what it is about.
CREATE TABLE audit (
    number       BIGINT PRIMARY KEY,  -- from 1, without a gap
    at_ms        BIGINT NOT NULL,
    what         TEXT NOT NULL,
    member       BIGINT,
    person       TEXT,
    org          TEXT,
    app          TEXT,
    request      BIGINT,
    request_hash TEXT NOT NULL,
    state_before TEXT NOT NULL,
    state_after  TEXT NOT NULL,
    reason       TEXT NOT NULL,
    okta_request TEXT NOT NULL,
    event        TEXT NOT NULL,
    outcome      TEXT NOT NULL,
    previous     TEXT NOT NULL,
    hash         TEXT NOT NULL
);
CREATE INDEX audit_by_request ON audit (request, number) WHERE request IS NOT NULL;

-- Up to which entry the audit channel has been told; at most one row.
CREATE TABLE audit_shown (
    only_row BIGINT PRIMARY KEY CHECK (only_row = 1),
    number   BIGINT NOT NULL
);

-- One row while all writes to Okta are stopped, else none.
CREATE TABLE paused (
    only_row  BIGINT PRIMARY KEY CHECK (only_row = 1),
    member    BIGINT NOT NULL,
    since_ms  BIGINT NOT NULL,
    reason    TEXT NOT NULL
);
