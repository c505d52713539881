-- What is unclear is asked for at every look at the requests, and there are few of it among many. `request_outcome.state`
-- may be unclear, and `remark.remark` settled.
CREATE INDEX request_unclear ON request (stage_ms) WHERE stage = 'unclear';
