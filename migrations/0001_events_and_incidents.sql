-- What is remembered of the orgs' logs, and of the alerts.
--
-- The same text runs on SQLite and on PostgreSQL: BIGINT and TEXT only. A name in _ms is a time in milliseconds since
-- 1970; a yes or no is 1 or 0; a Discord id is a BIGINT; JSON is TEXT, written and read by src/store/json.rs alone.

-- One row. That the table is there says that the database is ours; `version` is the program that used it last.
CREATE TABLE provost (
    version TEXT NOT NULL
);
INSERT INTO provost (version) VALUES ('');

-- Where reading each org's log stands; written in the same transaction as what the page brought.
CREATE TABLE log_position (
    org           TEXT PRIMARY KEY,
    next          TEXT,
    filter        TEXT NOT NULL,
    last_event_ms BIGINT,
    looked_back   BIGINT NOT NULL,
    caught_up_ms  BIGINT
);

-- Every event once, so that it counts once. `app`, `person` and `transaction_id` where a later event may ask for
-- them; `body` where the event is unexplained and will be looked at again.
CREATE TABLE event (
    org            TEXT NOT NULL,
    id             TEXT NOT NULL,
    published_ms   BIGINT NOT NULL,
    arrived_ms     BIGINT NOT NULL,
    quiet          BIGINT NOT NULL,
    class          TEXT NOT NULL, -- failure, unexplained, success, setting, unassigned, nothing, unhandled
    cause          TEXT,          -- of a failure
    strength       TEXT,          -- of a success
    app            TEXT,
    person         TEXT,
    transaction_id TEXT,
    body           TEXT,
    PRIMARY KEY (org, id)
);
CREATE INDEX event_by_person ON event (org, person, published_ms) WHERE person IS NOT NULL;
CREATE INDEX event_failures ON event (org, published_ms, cause) WHERE class = 'failure';
CREATE INDEX event_unexplained ON event (org, arrived_ms) WHERE class = 'unexplained';
CREATE INDEX event_by_age ON event (published_ms);

-- Entries that could not be understood or handled.
CREATE TABLE unhandled (
    org   TEXT NOT NULL,
    id    TEXT NOT NULL,
    why   TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (org, id)
);
CREATE INDEX unhandled_by_age ON unhandled (at_ms);

-- Changes of Deactivate Users that the log reported.
CREATE TABLE setting_change (
    org        TEXT NOT NULL,
    event      TEXT NOT NULL,
    app        TEXT NOT NULL,
    app_label  TEXT NOT NULL,
    turned_on  BIGINT NOT NULL,
    at_ms      BIGINT NOT NULL,
    actor_id   TEXT,
    actor_name TEXT,
    actor_kind TEXT,
    PRIMARY KEY (org, event)
);
CREATE INDEX setting_change_by_app ON setting_change (org, app, at_ms);

-- Incidents are never deleted: their numbers are not used twice.
CREATE TABLE incident (
    number     BIGINT PRIMARY KEY,
    org        TEXT NOT NULL,
    app        TEXT NOT NULL,
    app_label  TEXT NOT NULL,
    cause      TEXT NOT NULL,
    confidence TEXT NOT NULL,     -- possible, likely, certain
    opened_ms  BIGINT NOT NULL,
    chapter    BIGINT NOT NULL,
    quiet      BIGINT NOT NULL,
    over_how   TEXT,              -- fixed, ended; NULL while it goes on
    over_ms    BIGINT,
    findings   TEXT,              -- JSON
    revision   BIGINT NOT NULL,
    lines      BIGINT NOT NULL    -- how many lines its timeline has
);
CREATE INDEX incident_by_app ON incident (org, app);

CREATE TABLE failure (
    incident       BIGINT NOT NULL REFERENCES incident (number),
    person         TEXT NOT NULL,
    login          TEXT,
    name           TEXT,
    first_ms       BIGINT NOT NULL,
    last_ms        BIGINT NOT NULL,
    times          BIGINT NOT NULL,
    event          TEXT NOT NULL,
    transaction_id TEXT,
    reason         TEXT,
    state          TEXT NOT NULL, -- failing, fixed, unassigned, inactive
    over_ms        BIGINT,        -- unless failing
    proof          TEXT,          -- the event, where fixed
    strength       TEXT,          -- account, profile, where fixed
    assigned       TEXT,          -- person, group; NULL where Okta did not tell
    chapter        BIGINT NOT NULL, -- of the incident: the one in which it failed last
    PRIMARY KEY (incident, person)
);

CREATE TABLE timeline (
    incident BIGINT NOT NULL REFERENCES incident (number),
    seq      BIGINT NOT NULL,     -- from 1
    at_ms    BIGINT NOT NULL,
    what     TEXT NOT NULL,       -- JSON
    PRIMARY KEY (incident, seq)
);

-- How each chapter of an incident stands in the channel.
CREATE TABLE showing (
    incident     BIGINT NOT NULL REFERENCES incident (number),
    chapter      BIGINT NOT NULL,
    channel      BIGINT NOT NULL,
    attempted_ms BIGINT NOT NULL,
    message      BIGINT,
    shown_ms     BIGINT,
    revision     BIGINT NOT NULL,
    thread       BIGINT,
    told         BIGINT NOT NULL,
    telling      BIGINT NOT NULL, -- as told, or up to where a message is being posted
    state        TEXT NOT NULL,   -- live, replaced, let-go
    PRIMARY KEY (incident, chapter)
);
CREATE INDEX showing_replaced ON showing (incident) WHERE state = 'replaced';

CREATE TABLE notice (
    number       BIGINT PRIMARY KEY,
    org          TEXT NOT NULL,
    at_ms        BIGINT NOT NULL,
    what         TEXT NOT NULL,   -- JSON
    attempted_ms BIGINT,
    message      BIGINT,          -- once it is told
    same         TEXT NOT NULL,   -- what makes two notices the same
    UNIQUE (org, same)
);

-- The Discord gateway session to resume, at most one row, and when sessions were started anew.
CREATE TABLE gateway_session (
    only_row   BIGINT PRIMARY KEY CHECK (only_row = 1),
    session    TEXT NOT NULL,
    resume_url TEXT NOT NULL,
    sequence   BIGINT NOT NULL,
    saved_ms   BIGINT NOT NULL
);
CREATE TABLE identify (
    at_ms BIGINT NOT NULL
);
CREATE INDEX identify_by_time ON identify (at_ms);
