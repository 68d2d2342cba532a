-- Credentials that counted until their agent was enrolled anew: who still uses one is told that it is revoked, which is
-- something else than a credential nobody knows.

CREATE TABLE former_credential (
    agent    INTEGER NOT NULL REFERENCES agent(id) ON DELETE CASCADE,
    until_us INTEGER NOT NULL,
    hash     BLOB    NOT NULL,
    PRIMARY KEY (agent, until_us, hash)
) WITHOUT ROWID;
