-- What somebody asked an agent to do once (a trace now), and what came of it.
CREATE TABLE action (
    id         INTEGER PRIMARY KEY,
    workspace  INTEGER NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
    agent      INTEGER NOT NULL REFERENCES agent(id) ON DELETE CASCADE,
    kind       TEXT    NOT NULL,
    settings   TEXT    NOT NULL,
    author     TEXT    NOT NULL,
    state      INTEGER NOT NULL,
    reason     TEXT    NOT NULL DEFAULT '',
    steps_done INTEGER NOT NULL DEFAULT 0,
    steps      INTEGER NOT NULL DEFAULT 0,
    result     BLOB    NOT NULL DEFAULT x'',  -- rows as on the wire
    created_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,              -- not begun after that
    give_up_us INTEGER NOT NULL,              -- over by then, whatever the agent says
    started_us INTEGER,
    ended_us   INTEGER
);
CREATE INDEX action_newest ON action(workspace, created_us);
CREATE INDEX action_open ON action(state) WHERE state < 2;
