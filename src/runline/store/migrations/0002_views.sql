-- What anybody may read with SQL: read-only views with the names and columns that the five systems gave
-- them. Every view lists every run whatever its kind. Times are 24-character UTC text, *_json and payloads JSON
-- text, booleans 0/1, what is unknown NULL. They need SQLite 3.38. The tables behind them may change.

-- Private: the status as liveness judges it, by the database's clock; the same expression as search.status_sql.
CREATE VIEW run_statuses AS
SELECT runs.run, (CASE WHEN runs.status = 'running' AND (
    (liveness.seen_at IS NOT NULL AND liveness.seen_at < (julianday('now') - 2440587.5) * 86400000 - 30000) OR
    (liveness.seen_at IS NULL AND runs.appended_at < (julianday('now') - 2440587.5) * 86400000 - 900000)
  ) THEN 'interrupted' ELSE runs.status END) AS status
FROM runs LEFT JOIN liveness ON liveness.run = runs.run;

-- Web timeline.
CREATE VIEW run_timeline_events AS
SELECT e.id, r.run_id, e.seq AS event_index,
  strftime('%Y-%m-%dT%H:%M:%fZ', e.ts / 1000.0, 'unixepoch') AS ts_utc,
  coalesce(s.name, 'run') AS stage,
  CASE e.level WHEN 2 THEN 'error' WHEN 1 THEN 'warn' ELSE 'info' END AS severity,
  e.message,
  CASE WHEN e.ts > r.started_at THEN (e.ts - r.started_at) / 1000.0 ELSE 0.0 END AS elapsed_s,
  e.data AS details_json
FROM events AS e JOIN runs AS r ON r.run = e.run LEFT JOIN steps AS s ON s.run = e.run AND s.step = e.step;

CREATE VIEW run_timeline_notes AS
SELECT n.id, r.run_id, strftime('%Y-%m-%dT%H:%M:%fZ', n.created_at / 1000.0, 'unixepoch') AS created_at_utc,
  n.author, n.note, n.labels AS labels_json, n.actions AS actions_json
FROM notes AS n JOIN runs AS r ON r.run = n.run;

-- Operations dashboard.
CREATE VIEW pipeline_run AS
SELECT r.run_id, r.name AS pipeline_name, j.status, d.input, r.current_step, r.total_tokens,
  strftime('%Y-%m-%dT%H:%M:%fZ', r.started_at / 1000.0, 'unixepoch') AS started_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', r.completed_at / 1000.0, 'unixepoch') AS completed_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', r.cancelled_at / 1000.0, 'unixepoch') AS cancelled_at,
  r.error_message, r.tags AS tags_json
FROM runs AS r JOIN run_statuses AS j ON j.run = r.run LEFT JOIN run_details AS d ON d.run = r.run;

-- `state`: data.state when it is one of the ten, else by type and status; the same as catalogue.state_of.
CREATE VIEW event_log AS
SELECT e.id, r.run_id, strftime('%Y-%m-%dT%H:%M:%fZ', e.ts / 1000.0, 'unixepoch') AS timestamp,
  s.name AS step_id,
  CASE
    WHEN json_type(e.data, '$.state') = 'text' AND json_extract(e.data, '$.state') IN ('started', 'running',
      'completed', 'failed', 'step_progress', 'eta_updated', 'contract_validating', 'compaction_progress',
      'retrying', 'stream_activity') THEN json_extract(e.data, '$.state')
    WHEN t.name IN ('run_ended', 'session_ended') THEN
      CASE WHEN json_extract(e.data, '$.status') IN ('failed', 'cancelled', 'interrupted') THEN 'failed'
        ELSE 'completed' END
    WHEN t.name IN ('step_progress', 'eta_updated', 'contract_validating', 'compaction_progress') THEN t.name
    WHEN t.name = 'stream_activity' OR substr(t.name, 1, 4) = 'llm_' OR substr(t.name, 1, 5) IN ('tool_', 'test_')
      OR substr(t.name, 1, 6) = 'patch_' THEN 'stream_activity'
    WHEN t.name = 'run_queued' OR substr(t.name, -8) = '_started' THEN 'started'
    WHEN substr(t.name, -10) = '_completed' THEN 'completed'
    WHEN t.name = 'error' OR substr(t.name, -7) = '_failed' THEN 'failed'
    WHEN t.name = 'retry_scheduled' OR substr(t.name, -9) = '_retrying' THEN 'retrying'
    ELSE 'running'
  END AS state,
  CASE json_type(e.data, '$.persona') WHEN 'text' THEN json_extract(e.data, '$.persona') END AS persona,
  e.message,
  CASE WHEN json_type(e.data, '$.tokens_used') IN ('integer', 'real')
    THEN CAST(json_extract(e.data, '$.tokens_used') AS INTEGER) END AS tokens_used,
  CASE WHEN json_type(e.data, '$.duration_ms') IN ('integer', 'real')
    THEN CAST(json_extract(e.data, '$.duration_ms') AS INTEGER) END AS duration_ms
FROM events AS e JOIN runs AS r ON r.run = e.run LEFT JOIN types AS t ON t.code = e.type
  LEFT JOIN steps AS s ON s.run = e.run AND s.step = e.step;

CREATE VIEW artifact AS
SELECT a.id, r.run_id, a.step AS step_id, a.name, a.path, a.type, a.size_bytes,
  strftime('%Y-%m-%dT%H:%M:%fZ', a.created_at / 1000.0, 'unixepoch') AS created_at
FROM artifacts AS a JOIN runs AS r ON r.run = a.run;

CREATE VIEW artifact_metadata AS
SELECT a.id AS artifact_id, r.run_id, a.step AS step_id, a.preview_text, a.mime_type, a.encoding,
  a.metadata AS metadata_json,
  strftime('%Y-%m-%dT%H:%M:%fZ', a.created_at / 1000.0, 'unixepoch') AS indexed_at
FROM artifacts AS a JOIN runs AS r ON r.run = a.run;

-- Private: steps with the two states that are derived and stored nowhere, as fold.snapshot tells them: what the
-- run's end makes of a running one, and `blocked`, a pending one behind a failed one in the plan.
CREATE VIEW step_states AS
SELECT s.run, s.step,
  CASE
    WHEN s.state IN ('running', 'retrying') AND j.status NOT IN ('pending', 'running') THEN
      CASE j.status WHEN 'completed' THEN 'completed' ELSE 'cancelled' END
    WHEN s.state = 'pending' AND s.plan IS NOT NULL AND r.failed_steps > 0 AND EXISTS (
      WITH RECURSIVE
        -- A matrix step `name[0]` answers to `name` too.
        named (name, whole, plan, state) AS (
          SELECT n.name,
            CASE WHEN n.name LIKE '%]' AND n.stem LIKE '_%[' AND length(n.stem) < length(n.name) - 1
              THEN substr(n.stem, 1, length(n.stem) - 1) END,
            n.plan, n.state
          FROM (SELECT name, plan, state, rtrim(substr(name, 1, length(name) - 1), '0123456789') AS stem
                FROM steps WHERE run = s.run AND declared = 1) AS n
        ),
        reached (name, whole) AS (
          SELECT name, whole FROM named WHERE state = 'failed' AND coalesce(json_extract(plan, '$.optional'), 0) = 0
          UNION
          SELECT w.name, w.whole FROM reached CROSS JOIN named AS w
            JOIN json_each(w.plan, '$.dependencies') AS d ON d.value IN (reached.name, reached.whole)
          -- One that ran all the same passes nothing on.
          WHERE w.plan IS NOT NULL AND w.state = 'pending'
        )
      SELECT 1 FROM reached WHERE reached.name = s.name
    ) THEN 'blocked'
    ELSE s.state
  END AS state
FROM steps AS s JOIN runs AS r ON r.run = s.run JOIN run_statuses AS j ON j.run = s.run
WHERE s.declared = 1;

CREATE VIEW step_progress AS
SELECT s.name AS step_id, r.run_id,
  coalesce(s.persona, json_extract(s.plan, '$.persona')) AS persona,
  t.state,
  CASE WHEN t.state = 'completed' THEN 100 ELSE s.progress END AS progress,
  s.action AS current_action, s.message,
  strftime('%Y-%m-%dT%H:%M:%fZ', s.started_at / 1000.0, 'unixepoch') AS started_at,
  CASE WHEN s.event_count > 0
    THEN strftime('%Y-%m-%dT%H:%M:%fZ', s.updated_at / 1000.0, 'unixepoch') END AS updated_at,
  CASE
    WHEN t.state NOT IN ('running', 'retrying') OR s.started_at IS NULL THEN NULL
    WHEN s.estimate_ms IS NOT NULL AND s.estimate_at IS NOT NULL
      THEN max(0, s.estimate_ms - max(0, s.updated_at - s.estimate_at))
    WHEN json_extract(s.plan, '$.usual.p50_ms') IS NOT NULL
      THEN max(0, json_extract(s.plan, '$.usual.p50_ms') - max(0, s.updated_at - s.started_at))
    WHEN s.progress > 0 AND s.updated_at > s.started_at
      THEN (s.updated_at - s.started_at) * (100 - s.progress) / s.progress
  END AS estimated_completion_ms,
  s.tokens_before + coalesce(s.tokens_final, s.tokens_seen) AS tokens_used
FROM steps AS s JOIN step_states AS t ON t.run = s.run AND t.step = s.step JOIN runs AS r ON r.run = s.run;

-- From a subquery, because PostgreSQL lets a view of nothing but a table be written through.
CREATE VIEW pipeline_progress AS
SELECT r.run_id, max(r.announced_steps, r.declared_steps) AS total_steps, r.completed_steps,
  r.current_step_index, r.progress AS overall_progress,
  json_extract(r.eta, '$.ms') AS estimated_completion_ms,
  strftime('%Y-%m-%dT%H:%M:%fZ', r.updated_at / 1000.0, 'unixepoch') AS updated_at
FROM (SELECT * FROM runs) AS r;

CREATE VIEW cancellation AS
SELECT r.run_id, strftime('%Y-%m-%dT%H:%M:%fZ', c.requested_at / 1000.0, 'unixepoch') AS requested_at, c.force
FROM cancellations AS c JOIN runs AS r ON r.run = c.run;

-- Session observability: `active` for pending and running.
CREATE VIEW obs_sessions AS
SELECT o.session_id, o.command, o.started_at, o.ended_at, o.status,
  json_object('command', o.command, 'kind', o.kind, 'tags', json(o.tags), 'started_at', o.started_at,
    'ended_at', o.ended_at, 'status', o.status) AS value
FROM (
  SELECT r.run_id AS session_id, r.name AS command, r.kind, r.tags,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.started_at / 1000.0, 'unixepoch') AS started_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', r.completed_at / 1000.0, 'unixepoch') AS ended_at,
    CASE WHEN j.status IN ('pending', 'running') THEN 'active' ELSE j.status END AS status
  FROM runs AS r JOIN run_statuses AS j ON j.run = r.run
) AS o;

CREATE VIEW obs_events AS
SELECT r.run_id || ':' || printf('%020d', e.seq) AS key, r.run_id AS session_id, e.seq,
  strftime('%Y-%m-%dT%H:%M:%fZ', e.ts / 1000.0, 'unixepoch') AS ts, t.name AS type, e.data
FROM events AS e JOIN runs AS r ON r.run = e.run LEFT JOIN types AS t ON t.code = e.type;

CREATE VIEW obs_session_meta AS
SELECT r.run_id AS session_id, r.last_seq + 1 AS next_seq,
  CASE WHEN j.status IN ('pending', 'running') THEN 'active' ELSE j.status END AS latest_status,
  strftime('%Y-%m-%dT%H:%M:%fZ', r.updated_at / 1000.0, 'unixepoch') AS updated_at
FROM runs AS r JOIN run_statuses AS j ON j.run = r.run;

-- Run trace.
CREATE VIEW run_events AS
SELECT e.id, r.run_id, t.name AS type,
  strftime('%Y-%m-%dT%H:%M:%fZ', e.ts / 1000.0, 'unixepoch') AS created_at,
  e.correlation_id, c.name AS source,
  CASE e.level WHEN 2 THEN 'error' WHEN 1 THEN 'warn' ELSE 'info' END AS level,
  e.data AS payload_json
FROM events AS e JOIN runs AS r ON r.run = e.run LEFT JOIN types AS t ON t.code = e.type
  LEFT JOIN sources AS c ON c.code = e.source;
