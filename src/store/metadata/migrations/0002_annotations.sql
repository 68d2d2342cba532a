-- What people know about a moment or a span of time. Without a probe it belongs to every probe of the workspace.
CREATE TABLE annotation (
    id         INTEGER PRIMARY KEY,
    workspace  INTEGER NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
    probe      INTEGER REFERENCES probe(id) ON DELETE CASCADE,
    at_us      INTEGER NOT NULL,
    until_us   INTEGER,
    text       TEXT    NOT NULL,
    author     TEXT    NOT NULL,
    revision   INTEGER NOT NULL DEFAULT 1,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL,
    deleted_us INTEGER,
    CHECK (until_us IS NULL OR until_us > at_us)
);
CREATE INDEX annotation_time ON annotation(workspace, at_us);

-- The agent's process that opened the connection: another one than before means that the agent was started anew.
ALTER TABLE agent_connection ADD COLUMN boot INTEGER NOT NULL DEFAULT 0;

-- Changes of one probe are shown on its charts.
CREATE INDEX audit_subject ON audit(workspace, subject, at_us);
