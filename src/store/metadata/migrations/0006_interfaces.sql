-- An agent's network as it reports it: whole reports, newest last, and what changed from each to the next as people read it.
-- Both are bounded by number, size and age (store/metadata/networks.cpp).
CREATE TABLE agent_network (
    id     INTEGER PRIMARY KEY,
    agent  INTEGER NOT NULL REFERENCES agent(id) ON DELETE CASCADE,
    at_us  INTEGER NOT NULL,
    stream INTEGER NOT NULL,
    number INTEGER NOT NULL,
    report BLOB    NOT NULL
);
CREATE INDEX agent_network_agent ON agent_network(agent, id);

CREATE TABLE agent_network_change (
    id        INTEGER PRIMARY KEY,
    agent     INTEGER NOT NULL REFERENCES agent(id) ON DELETE CASCADE,
    at_us     INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    interface TEXT    NOT NULL,
    text      TEXT    NOT NULL,
    before    TEXT    NOT NULL,
    after     TEXT    NOT NULL,
    took_us   INTEGER,
    reason    TEXT    NOT NULL,
    UNIQUE (agent, at_us, kind, text)
);
