-- What was pushed and not deleted yet. ``grouping`` is MessagePack of the sorted grouping labels.

CREATE TABLE push_groups (
    grouping BLOB PRIMARY KEY,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
