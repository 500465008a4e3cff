-- The log, its projections and the facts beside it.
-- Instants are integer milliseconds since 1970 UTC. Levels: 0 info, 1 warn, 2 error.
-- `run` is private and never reused; every key that is unique starts with run or tenant, so the tables shard.
-- The log itself is in the file of each engine.

-- One row per run: the fold's scalars, kept in the transaction of the events. What is large and seldom
-- changes lives in run_details, because SQLite rewrites a whole row on every update.
CREATE TABLE runs (
  run INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant TEXT NOT NULL,
  run_id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  tags TEXT NOT NULL,                 -- JSON array
  parent_run_id TEXT,
  original_run_id TEXT,
  started_at INTEGER NOT NULL,        -- moment of creation; never changes, cursors rely on it
  status TEXT NOT NULL,               -- as the log says; liveness turns running into interrupted when read
  partial INTEGER NOT NULL,
  error_message TEXT,
  completed_at INTEGER,               -- NULL: not ended
  cancelled_at INTEGER,
  window_start INTEGER NOT NULL,      -- ts of the first event
  updated_at INTEGER NOT NULL,        -- ts of the last event
  last_seq INTEGER NOT NULL,          -- also the number of events
  warn_count INTEGER NOT NULL,
  error_count INTEGER NOT NULL,
  total_tokens INTEGER NOT NULL,
  tokens_in INTEGER NOT NULL,
  tokens_out INTEGER NOT NULL,
  progress INTEGER NOT NULL,
  progress_sum INTEGER NOT NULL,
  announced_steps INTEGER NOT NULL,
  step_numbers INTEGER NOT NULL,
  declared_steps INTEGER NOT NULL,
  completed_steps INTEGER NOT NULL,
  failed_steps INTEGER NOT NULL,
  artifact_count INTEGER NOT NULL,
  call_count INTEGER NOT NULL,
  open_calls INTEGER NOT NULL,
  current_step TEXT,
  current_step_index INTEGER,
  last_step TEXT,
  last_message TEXT,
  estimate_ms INTEGER,
  estimate_at INTEGER,
  eta TEXT,                           -- JSON Eta, NULL: no estimate
  slot_ms INTEGER NOT NULL,
  types TEXT NOT NULL,                -- JSON {type: count}, 256 types, then 'other'
  fingerprint TEXT,                   -- of the first error
  usual TEXT,                         -- JSON Usual of this name, taken when the run was created
  -- facts beside the log, not rebuilt from it:
  appended_at INTEGER NOT NULL,       -- when something was last appended, by the writer's clock
  checkpoint_seq INTEGER NOT NULL DEFAULT 0,
  input_redacted INTEGER NOT NULL DEFAULT 0,
  pinned INTEGER NOT NULL DEFAULT 0,
  note_count INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX runs_by_start ON runs (started_at, run_id);
CREATE INDEX runs_by_tenant ON runs (tenant, started_at, run_id);
CREATE INDEX runs_by_status ON runs (status, started_at, run_id);
CREATE INDEX runs_by_name ON runs (name, started_at, run_id);
CREATE INDEX runs_by_tenant_name ON runs (tenant, name, started_at, run_id);
CREATE INDEX runs_by_parent ON runs (parent_run_id) WHERE parent_run_id IS NOT NULL;
CREATE INDEX runs_by_fingerprint ON runs (tenant, fingerprint, name, started_at) WHERE fingerprint IS NOT NULL;

CREATE TABLE run_details (
  run INTEGER PRIMARY KEY,
  input TEXT,                         -- JSON, redacted; NULL: none was given
  cold TEXT NOT NULL                  -- JSON of the fold's rarely changing part
) STRICT;

CREATE TABLE types (code INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE sources (code INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

-- Step names are numbered within their run: they are a caller's text, unbounded, and leave with the run.
CREATE TABLE steps (
  run INTEGER NOT NULL,
  step INTEGER NOT NULL,
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  declared INTEGER NOT NULL,          -- 0: only named by events, a stage
  position INTEGER NOT NULL,          -- among the declared; -1: not declared
  progress INTEGER NOT NULL,
  total INTEGER,
  action TEXT,
  persona TEXT,
  model TEXT,
  message TEXT,
  error TEXT,
  reason TEXT,
  attempt INTEGER NOT NULL,
  started_at INTEGER,
  started_seq INTEGER NOT NULL,
  completed_at INTEGER,
  updated_at INTEGER NOT NULL,
  duration_ms INTEGER,
  estimate_ms INTEGER,
  estimate_at INTEGER,
  tokens_before INTEGER NOT NULL,
  tokens_seen INTEGER NOT NULL,
  tokens_final INTEGER,
  level_index INTEGER,
  path TEXT,
  event_count INTEGER NOT NULL,
  warn_count INTEGER NOT NULL,
  error_count INTEGER NOT NULL,
  plan TEXT,                          -- JSON StepPlan
  PRIMARY KEY (run, step)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX steps_by_name ON steps (run, name);
CREATE INDEX steps_running ON steps (run) WHERE state IN ('running', 'retrying');

CREATE TABLE calls (
  run INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  key TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  detail TEXT NOT NULL,
  step TEXT,
  last_seq INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  status TEXT NOT NULL,
  duration_ms INTEGER,
  attempts INTEGER NOT NULL,
  parent TEXT,
  tokens_in INTEGER,
  tokens_out INTEGER,
  PRIMARY KEY (run, first_seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX calls_open ON calls (run, key) WHERE status = 'open';

CREATE TABLE slots (
  run INTEGER NOT NULL, slot INTEGER NOT NULL,
  events INTEGER NOT NULL, warns INTEGER NOT NULL, errors INTEGER NOT NULL,
  PRIMARY KEY (run, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE artifacts (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  step TEXT,                          -- NULL: of the run as a whole
  name TEXT NOT NULL,
  path TEXT, type TEXT, size_bytes INTEGER, created_at INTEGER NOT NULL,
  mime_type TEXT, encoding TEXT, preview_text TEXT,
  metadata TEXT NOT NULL,             -- JSON
  UNIQUE (run, seq)
) STRICT;

-- The fold as it stood after event `seq`; makes "as of event N" cheap. Droppable at any time.
CREATE TABLE checkpoints (
  run INTEGER NOT NULL, seq INTEGER NOT NULL, state BLOB NOT NULL,
  PRIMARY KEY (run, seq)
) STRICT;

CREATE TABLE notes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  author TEXT,
  note TEXT NOT NULL,
  labels TEXT NOT NULL, actions TEXT NOT NULL,   -- JSON arrays
  event_seq INTEGER                   -- NULL: about the run as a whole
) STRICT;
CREATE INDEX notes_by_run ON notes (run, created_at DESC, id DESC);

CREATE TABLE liveness (run INTEGER PRIMARY KEY, seen_at INTEGER NOT NULL, host TEXT, pid INTEGER) STRICT;
CREATE TABLE cancellations (
  run INTEGER PRIMARY KEY, requested_at INTEGER NOT NULL, force INTEGER NOT NULL
) STRICT;

-- Answers already given, so that a retried request gets the same one. run 0: creation of a run.
CREATE TABLE idempotency (
  tenant TEXT NOT NULL, run INTEGER NOT NULL, key TEXT NOT NULL,
  digest TEXT NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
  not_stored INTEGER NOT NULL, run_id TEXT NOT NULL, expires_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, run, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_expiry ON idempotency (expires_at);
CREATE TABLE event_ids (
  run INTEGER NOT NULL, event_id TEXT NOT NULL, seq INTEGER NOT NULL, digest TEXT NOT NULL,
  PRIMARY KEY (run, event_id)
) STRICT, WITHOUT ROWID;

-- What retention removed: a pruned id answers "pruned", not "never heard of".
CREATE TABLE tombstones (
  run_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
  status TEXT NOT NULL, started_at INTEGER NOT NULL, completed_at INTEGER,
  event_count INTEGER NOT NULL, pruned_at INTEGER NOT NULL, reason TEXT NOT NULL
) STRICT;
-- Runs that nobody sees: their rows are removed in small transactions from `not_before` on. A removed run is
-- here at once, an import until it is complete. Only their events may be deleted.
CREATE TABLE garbage (
  run INTEGER PRIMARY KEY, run_id TEXT NOT NULL, tenant TEXT NOT NULL, not_before INTEGER NOT NULL
) STRICT;
