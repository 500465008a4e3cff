-- The log. One covering index serves every filter; (run, seq) is unique by compare-and-set on runs.last_seq,
-- which costs nothing, where a second index would cost a third of the write speed.
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  ts INTEGER NOT NULL,
  level INTEGER NOT NULL,
  type INTEGER NOT NULL,
  step INTEGER,                       -- steps.step; NULL: the run as a whole
  source INTEGER,
  message TEXT NOT NULL,
  correlation_id TEXT,
  data TEXT NOT NULL,                 -- JSON object
  crc INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_by_run ON events (run, seq, level, step, type);
CREATE INDEX events_by_correlation ON events (run, correlation_id, seq) WHERE correlation_id IS NOT NULL;

-- next_event_id: event ids are never reused, also when the newest run was pruned.
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
INSERT INTO counters VALUES ('next_event_id', 1);

CREATE TRIGGER events_never_change BEFORE UPDATE ON events BEGIN
  SELECT RAISE(ABORT, 'events are append-only');
END;
CREATE TRIGGER events_leave_with_their_run BEFORE DELETE ON events
WHEN NOT EXISTS (SELECT 1 FROM garbage WHERE run = OLD.run) BEGIN
  SELECT RAISE(ABORT, 'events are append-only; retention removes whole runs');
END;
