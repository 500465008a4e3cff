-- Who may ask a server, and who did what. Facts beside the log: nothing here can be rebuilt from it.

-- The secret itself is stored nowhere. A revoked token stays, so that the audit's names keep their meaning.
CREATE TABLE tokens (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  tenant TEXT,                        -- NULL: all tenants
  scopes TEXT NOT NULL,               -- JSON array
  hash TEXT NOT NULL UNIQUE,          -- SHA-256 of the secret, in hexadecimal
  created_at INTEGER NOT NULL,
  expires_at INTEGER,                 -- NULL: never
  revoked_at INTEGER,                 -- NULL: still good
  last_used_at INTEGER                -- to the minute; NULL: never
) STRICT;
CREATE INDEX tokens_by_tenant ON tokens (tenant, created_at, id);

-- Every control action, written in its own transaction where it has one.
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  who TEXT NOT NULL,
  tenant TEXT,                        -- whose run or token it was about; NULL: the store as a whole
  action TEXT NOT NULL,
  target TEXT,                        -- a run's or a token's id
  detail TEXT NOT NULL                -- JSON object
) STRICT;
CREATE INDEX audit_by_tenant ON audit (tenant, id);
