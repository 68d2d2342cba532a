-- When the route of a path probe changed. Of one probe and moment there is one: what is worked out again from samples
-- after a restart finds itself here. `added` and `removed` are JSON lists of hops; `before` and `after` are routes in the
-- form of topology/route.hpp.
CREATE TABLE path_change (
    id           INTEGER PRIMARY KEY,
    workspace    INTEGER NOT NULL REFERENCES workspace(id) ON DELETE CASCADE,
    probe        INTEGER NOT NULL REFERENCES probe(id) ON DELETE CASCADE,
    at_us        INTEGER NOT NULL,
    confirmed_us INTEGER NOT NULL,
    added        TEXT    NOT NULL,
    removed      TEXT    NOT NULL,
    before       BLOB    NOT NULL,
    after        BLOB    NOT NULL,
    hops_before  INTEGER NOT NULL,
    hops_after   INTEGER NOT NULL,
    UNIQUE (probe, at_us)
);
CREATE INDEX path_change_time ON path_change(workspace, at_us);
