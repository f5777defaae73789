-- State of the collector that is no metric. Bodies are MessagePack of the core's values, because
-- JSON has no NaN and nothing here is searched by SQL.

CREATE TABLE rules (
    name TEXT PRIMARY KEY,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What each rule remembers; outlives its rule until its last alert is old.
CREATE TABLE rule_memories (
    name TEXT PRIMARY KEY,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE silences (
    silence_id TEXT PRIMARY KEY,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Messages without PUBACK, in the order in which they were made.
CREATE TABLE outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL UNIQUE,
    topic TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE services (
    service TEXT PRIMARY KEY,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What happened once in the life of the data, for example that the default rules were stored.
CREATE TABLE marks (
    mark TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
