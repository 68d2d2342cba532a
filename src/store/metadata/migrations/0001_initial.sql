-- Ids are 64-bit numbers (model/ids.hpp), times microseconds since the epoch, JSON columns are text.

CREATE TABLE instance (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE user (
    id            INTEGER PRIMARY KEY,
    email         TEXT    NOT NULL COLLATE NOCASE UNIQUE,
    name          TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    is_site_admin INTEGER NOT NULL DEFAULT 0,
    preferences   TEXT    NOT NULL DEFAULT '{}',
    created_us    INTEGER NOT NULL
);

CREATE TABLE session (
    id           INTEGER PRIMARY KEY,
    user         INTEGER NOT NULL REFERENCES user(id) ON DELETE CASCADE,
    token_hash   BLOB    NOT NULL UNIQUE,
    csrf_token   TEXT    NOT NULL,
    created_us   INTEGER NOT NULL,
    last_seen_us INTEGER NOT NULL,
    expires_us   INTEGER NOT NULL,
    address      TEXT    NOT NULL,
    user_agent   TEXT    NOT NULL
);
CREATE INDEX session_user ON session(user);

CREATE TABLE workspace (
    id         INTEGER PRIMARY KEY,
    slug       TEXT    NOT NULL UNIQUE,
    name       TEXT    NOT NULL,
    settings   TEXT    NOT NULL DEFAULT '{}',
    revision   INTEGER NOT NULL DEFAULT 1,
    created_us INTEGER NOT NULL,
    deleted_us INTEGER
);

CREATE TABLE member (
    workspace  INTEGER NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
    user       INTEGER NOT NULL REFERENCES user(id) ON DELETE CASCADE,
    role       TEXT    NOT NULL CHECK (role IN ('owner', 'admin', 'operator', 'viewer')),
    created_us INTEGER NOT NULL,
    PRIMARY KEY (workspace, user)
) WITHOUT ROWID;
CREATE INDEX member_user ON member(user);

CREATE TABLE invite (
    id          INTEGER PRIMARY KEY,
    workspace   INTEGER NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
    token_hash  BLOB    NOT NULL UNIQUE,
    email       TEXT    NOT NULL,
    role        TEXT    NOT NULL CHECK (role IN ('admin', 'operator', 'viewer')),
    created_by  INTEGER NOT NULL REFERENCES user(id),
    created_us  INTEGER NOT NULL,
    expires_us  INTEGER NOT NULL,
    accepted_us INTEGER
);
CREATE INDEX invite_workspace ON invite(workspace);

CREATE TABLE agent (
    id                   INTEGER PRIMARY KEY,
    workspace            INTEGER NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
    name                 TEXT    NOT NULL,
    site                 TEXT    NOT NULL DEFAULT '',
    labels               TEXT    NOT NULL DEFAULT '[]',
    enabled              INTEGER NOT NULL DEFAULT 1,
    revision             INTEGER NOT NULL DEFAULT 1,
    created_us           INTEGER NOT NULL,
    deleted_us           INTEGER,
    enrol_token_hash     BLOB UNIQUE,
    enrol_expires_us     INTEGER,
    enrol_used_us        INTEGER,
    instance             TEXT,
    credential_hash      BLOB,
    hostname             TEXT    NOT NULL DEFAULT '',
    os                   TEXT    NOT NULL DEFAULT '',
    arch                 TEXT    NOT NULL DEFAULT '',
    version              TEXT    NOT NULL DEFAULT '',
    address              TEXT    NOT NULL DEFAULT '',
    last_seen_us         INTEGER,
    clock_offset_us      INTEGER,
    clock_uncertainty_us INTEGER,
    state_number         INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX agent_workspace ON agent(workspace, name);

CREATE TABLE agent_connection (
    id           INTEGER PRIMARY KEY,
    agent        INTEGER NOT NULL REFERENCES agent(id) ON DELETE CASCADE,
    from_us      INTEGER NOT NULL,
    until_us     INTEGER,
    address      TEXT    NOT NULL,
    version      TEXT    NOT NULL,
    close_reason TEXT    NOT NULL DEFAULT ''
);
CREATE INDEX agent_connection_agent ON agent_connection(agent, id);

CREATE TABLE target (
    id         INTEGER PRIMARY KEY,
    workspace  INTEGER NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
    address    TEXT    NOT NULL,
    name       TEXT    NOT NULL DEFAULT '',
    labels     TEXT    NOT NULL DEFAULT '[]',
    revision   INTEGER NOT NULL DEFAULT 1,
    created_us INTEGER NOT NULL,
    UNIQUE (workspace, address)
);

CREATE TABLE probe (
    id         INTEGER PRIMARY KEY,
    workspace  INTEGER NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
    agent      INTEGER NOT NULL REFERENCES agent(id) ON DELETE CASCADE,
    target     INTEGER REFERENCES target(id),
    kind       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    enabled    INTEGER NOT NULL DEFAULT 1,
    settings   TEXT    NOT NULL,
    revision   INTEGER NOT NULL DEFAULT 1,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL,
    deleted_us INTEGER
);
CREATE INDEX probe_workspace ON probe(workspace, name);
CREATE INDEX probe_agent ON probe(agent);

-- `hash` is SHA-256 over the previous row's hash and this row's fields: a row that is changed or removed later
-- breaks the chain.
CREATE TABLE audit (
    id         INTEGER PRIMARY KEY,
    workspace  INTEGER,
    at_us      INTEGER NOT NULL,
    actor      TEXT    NOT NULL,
    actor_name TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    subject_type TEXT  NOT NULL,
    subject    TEXT    NOT NULL,
    subject_name TEXT  NOT NULL,
    outcome    TEXT    NOT NULL CHECK (outcome IN ('done', 'denied', 'failed')),
    detail     TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    request    TEXT    NOT NULL,
    hash       BLOB    NOT NULL
);
CREATE INDEX audit_workspace ON audit(workspace, id);
