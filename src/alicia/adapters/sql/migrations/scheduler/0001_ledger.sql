-- The ledger of the scheduler (scheduling.md §5). Instants are integer microseconds UTC.

CREATE TABLE event (
  event_id      TEXT PRIMARY KEY,
  rev           INTEGER NOT NULL,     -- grows with every edit, pause, resume and cancel
  edit          INTEGER NOT NULL,     -- grows over all events: what changed since when
  name          TEXT NOT NULL,
  description   TEXT NOT NULL,
  spec          TEXT NOT NULL,        -- JSON of scheduling.event.Event
  lifecycle     TEXT NOT NULL,
  enabled       INTEGER NOT NULL,
  overlap       TEXT NOT NULL,        -- as in spec: the claim reads it without decoding
  listens       INTEGER NOT NULL,     -- 1: messages of its own topics start it
  paused_until  INTEGER,
  next_due      INTEGER,              -- the next instant nobody has claimed yet
  tz_version    TEXT NOT NULL,        -- of the zone data next_due was computed with
  run_count     INTEGER NOT NULL DEFAULT 0,
  success_count INTEGER NOT NULL DEFAULT 0,
  failure_count INTEGER NOT NULL DEFAULT 0,
  missed_count  INTEGER NOT NULL DEFAULT 0,
  last_run      INTEGER,
  last_status   TEXT,
  created       INTEGER NOT NULL,
  updated       INTEGER NOT NULL
) STRICT;
CREATE INDEX event_due ON event (next_due) WHERE next_due IS NOT NULL;
CREATE INDEX event_born ON event (created, event_id);
CREATE INDEX event_name ON event (name);
CREATE UNIQUE INDEX event_edit ON event (edit);
CREATE INDEX event_listens ON event (event_id) WHERE listens = 1;
CREATE INDEX event_paused ON event (paused_until) WHERE paused_until IS NOT NULL;

CREATE TABLE event_tag (
  tag      TEXT NOT NULL,
  event_id TEXT NOT NULL REFERENCES event (event_id) ON DELETE CASCADE,
  PRIMARY KEY (tag, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_tag_event ON event_tag (event_id);

-- What an event was, and when: the audit recomputes every instant from here.
CREATE TABLE event_rev (
  event_id   TEXT NOT NULL REFERENCES event (event_id) ON DELETE CASCADE,
  rev        INTEGER NOT NULL,
  spec       TEXT NOT NULL,
  active     INTEGER NOT NULL,
  valid_from INTEGER NOT NULL,        -- inclusive
  valid_to   INTEGER,                 -- exclusive; NULL: still in force
  PRIMARY KEY (event_id, rev)
) STRICT, WITHOUT ROWID;

CREATE TABLE execution (
  execution_id TEXT PRIMARY KEY,      -- uuid7: sorted by birth
  event_id     TEXT NOT NULL REFERENCES event (event_id) ON DELETE CASCADE,
  due          INTEGER NOT NULL,
  origin       TEXT NOT NULL,         -- nominal manual mqtt chained clock
  dedupe       TEXT,                  -- what makes a repeated request the same one
  status       TEXT NOT NULL,
  reason       TEXT,
  claimed      INTEGER NOT NULL,
  not_before   INTEGER NOT NULL,      -- the next attempt starts here at the earliest
  attempt      INTEGER NOT NULL,      -- sendings so far, also those after a crash
  retries      INTEGER NOT NULL,      -- failed tries that led to another one
  fence        INTEGER NOT NULL,
  owner        TEXT NOT NULL,
  boot         TEXT NOT NULL,         -- of the owner: a restarted node is another owner
  published    INTEGER,               -- the broker acknowledged the current attempt
  due_to       INTEGER,               -- range row: the last of count instants
  count        INTEGER NOT NULL,
  started      INTEGER,
  ended        INTEGER,
  result       TEXT,                  -- JSON
  error        TEXT NOT NULL,
  payload      TEXT,                  -- JSON: replaces the event's payload for this run
  hops         INTEGER NOT NULL,
  UNIQUE (event_id, due, origin),
  UNIQUE (event_id, dedupe)
) STRICT;
CREATE INDEX execution_owner ON execution (owner) WHERE status IN ('pending', 'running');
CREATE INDEX execution_open ON execution (event_id) WHERE status IN ('pending', 'running');
CREATE INDEX execution_due ON execution (due, execution_id);
CREATE INDEX execution_status ON execution (status, due, execution_id);

CREATE TABLE attempt (
  execution_id TEXT NOT NULL REFERENCES execution (execution_id) ON DELETE CASCADE,
  n            INTEGER NOT NULL,
  fence        INTEGER NOT NULL,
  started      INTEGER NOT NULL,
  ended        INTEGER,
  outcome      TEXT NOT NULL,
  error        TEXT NOT NULL,
  PRIMARY KEY (execution_id, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE node (
  node_id     TEXT PRIMARY KEY,
  boot        TEXT NOT NULL,
  lease_until INTEGER NOT NULL        -- milliseconds, the database's clock
) STRICT, WITHOUT ROWID;

-- The first answer to each Idempotency-Key, so that a repeated request gets it again.
CREATE TABLE idempotency (
  key       TEXT PRIMARY KEY,
  body_hash TEXT NOT NULL,
  answer    TEXT NOT NULL,
  created   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_age ON idempotency (created);
