-- PostgreSQL: the log. One covering index serves every filter; the one by id serves those who follow all runs.
CREATE TABLE events (
  id BIGINT NOT NULL,
  run BIGINT NOT NULL,
  ts BIGINT NOT NULL,
  crc BIGINT NOT NULL,
  seq INTEGER NOT NULL,
  type INTEGER NOT NULL,
  step INTEGER,
  source INTEGER,
  level SMALLINT NOT NULL,
  message TEXT COLLATE "C" NOT NULL,
  correlation_id TEXT COLLATE "C",
  data TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (run, seq) INCLUDE (level, step, type)
);
CREATE INDEX events_by_id ON events (id);
CREATE INDEX events_by_correlation ON events (run, correlation_id, seq) WHERE correlation_id IS NOT NULL;

-- These rows change with every batch: room beside them keeps the change off the indexes.
ALTER TABLE runs SET (fillfactor = 60);
ALTER TABLE steps SET (fillfactor = 70);
ALTER TABLE slots SET (fillfactor = 70);
ALTER TABLE liveness SET (fillfactor = 70);

-- Ids of events. They rise with seq within a run, because they are taken once its row is locked. Writers do not wait
-- for each other's commits, so a lower id may be committed later: each transaction therefore leaves a mark,
-- a shared advisory lock on its first id, until it ends. Below the lowest mark nothing will appear any more.
CREATE SEQUENCE event_id_sequence;
CREATE VIEW counters AS
SELECT 'next_event_id' AS name, last_value + CAST(is_called AS INTEGER) AS value FROM event_id_sequence;

-- So many ids in a row; the first of them. `marking`: the transaction has left no mark yet.
CREATE FUNCTION take_event_ids(amount BIGINT, marking BOOLEAN) RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
  sequence_oid OID := CAST('event_id_sequence' AS REGCLASS);
  taken BIGINT;
BEGIN
  PERFORM pg_advisory_lock(CAST(sequence_oid AS BIGINT));
  SELECT value INTO taken FROM counters;
  IF marking THEN  -- first the mark, then the ids: whoever sees these sees that
    PERFORM pg_advisory_xact_lock_shared(CAST(sequence_oid AS INTEGER), CAST(CAST(taken AS BIT(32)) AS INTEGER));
  END IF;
  PERFORM setval(sequence_oid, taken + amount - 1);
  PERFORM pg_advisory_unlock(CAST(sequence_oid AS BIGINT));
  RETURN taken;
END $$;

-- The lowest id that an event may still come to have. What is below it and not visible to a later statement
-- was rolled back. A mark holds the low half of an id, which is enough: it lies close behind.
CREATE FUNCTION next_stable_id() RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
  upcoming BIGINT;
  behind BIGINT;
BEGIN
  IF pg_is_in_recovery() THEN
    RAISE EXCEPTION 'a replica does not know which transactions are under way; follow all runs on the primary';
  END IF;
  SELECT value INTO upcoming FROM counters;
  SELECT max((upcoming - CAST(objid AS BIGINT)) & 4294967295) INTO behind FROM pg_locks
  WHERE locktype = 'advisory' AND objsubid = 2 AND classid = CAST(CAST('event_id_sequence' AS REGCLASS) AS OID)
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database());
  RETURN upcoming - coalesce(behind, 0);
END $$;

CREATE FUNCTION events_never_change() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'events are append-only';
END $$;
CREATE TRIGGER events_never_change BEFORE UPDATE OR TRUNCATE ON events
FOR EACH STATEMENT EXECUTE FUNCTION events_never_change();

CREATE FUNCTION events_leave_with_their_run() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM gone WHERE NOT EXISTS (SELECT 1 FROM garbage WHERE garbage.run = gone.run)) THEN
    RAISE EXCEPTION 'events are append-only; retention removes whole runs';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER events_leave_with_their_run AFTER DELETE ON events REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION events_leave_with_their_run();

-- What the views and filters need to read JSON kept as text, under the names that SQLite has for it.
CREATE FUNCTION json_type(document TEXT, path TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE json_typeof(CAST(document AS JSON) #> string_to_array(substr(path, 3), '.'))
    WHEN 'string' THEN 'text'
    WHEN 'number' THEN 'real'
    ELSE json_typeof(CAST(document AS JSON) #> string_to_array(substr(path, 3), '.'))
  END
$$;
CREATE FUNCTION json_extract(document TEXT, path TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
  SELECT CAST(document AS JSON) #>> string_to_array(substr(path, 3), '.')
$$;
-- A number's text as a whole one, within 64 bits.
CREATE FUNCTION whole(number TEXT) RETURNS BIGINT LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT CAST(least(greatest(trunc(CAST(number AS NUMERIC)), -9223372036854775808), 9223372036854775807) AS BIGINT)
$$;
-- Milliseconds since 1970 as 24-character UTC text. Days and the rest apart: an interval of many milliseconds is inexact.
CREATE FUNCTION utc_text(ms BIGINT) RETURNS TEXT LANGUAGE sql STABLE AS $$
  SELECT to_char(
    TIMESTAMP 'epoch' + (ms / 86400000) * INTERVAL '1 day' + (ms % 86400000) * INTERVAL '1 millisecond',
    'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;
