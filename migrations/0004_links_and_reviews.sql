-- Which member is which person, what became of break-glass, and what is said once about a request.
--
-- As in 0001: BIGINT and TEXT only, _ms is a time in milliseconds since 1970, a yes or no is 1 or 0, a Discord id is a
-- BIGINT.

-- Links made by command; those of the configuration are not stored.
CREATE TABLE link (
    org      TEXT NOT NULL,
    member   BIGINT NOT NULL,
    person   TEXT NOT NULL,
    since_ms BIGINT NOT NULL,
    PRIMARY KEY (org, member),
    UNIQUE (org, person)
);

-- What a member asked to be linked to, and what an admin made of it. At most one open a member and org.
CREATE TABLE link_proposal (
    number   BIGINT PRIMARY KEY,
    org      TEXT NOT NULL,
    member   BIGINT NOT NULL,
    login    TEXT NOT NULL,
    asked_ms BIGINT NOT NULL,
    stage    TEXT NOT NULL,           -- open, confirmed, rejected
    stage_ms BIGINT,                  -- when it was decided
    stage_by BIGINT,                  -- by whom
    person   TEXT,                    -- confirmed: the person
    revision BIGINT NOT NULL
);
CREATE INDEX link_proposal_open ON link_proposal (org, member) WHERE stage = 'open';

-- How a proposal's card stands in the channel.
CREATE TABLE link_proposal_showing (
    proposal     BIGINT PRIMARY KEY REFERENCES link_proposal (number),
    channel      BIGINT NOT NULL,
    attempted_ms BIGINT NOT NULL,
    message      BIGINT,
    revision     BIGINT NOT NULL,
    let_go       BIGINT NOT NULL
);

-- What an approver said of a break-glass request afterwards.
CREATE TABLE review (
    request BIGINT PRIMARY KEY REFERENCES request (number),
    member  BIGINT NOT NULL,
    person  TEXT,
    verdict TEXT NOT NULL,            -- justified, not justified
    reason  TEXT NOT NULL,
    at_ms   BIGINT NOT NULL
);

-- What is said once about a request beside its card, with a ping.
CREATE TABLE remark (
    request      BIGINT NOT NULL REFERENCES request (number),
    what         TEXT NOT NULL,       -- reminder, decision, outcome
    attempted_ms BIGINT NOT NULL,
    message      BIGINT,
    PRIMARY KEY (request, what)
);

-- Whose card shows the end has been told of it.
INSERT INTO remark (request, what, attempted_ms, message)
    SELECT request.number, 'outcome', card.attempted_ms, card.message
    FROM request JOIN request_showing AS card ON card.request = request.number
    WHERE request.ended = 1 AND card.message IS NOT NULL AND card.revision >= request.revision;
