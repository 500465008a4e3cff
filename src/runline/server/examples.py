"""One request of each route, as `curl` sends it: in /docs, in docs/api.md, and sent by the tests.

`$RUN`, `$OTHER` and `$FAILED` stand for ids of runs, `$TOKEN_ID` for that of a token.
"""

from __future__ import annotations

import json
import shlex
from typing import Any, NamedTuple

from runline.server.route import JSON, NDJSON, SSE, Route

URL = "http://localhost:8080"


class Example(NamedTuple):
    """`query` with its question mark; `body` a JSON value, or text that is sent as it is."""

    query: str = ""
    body: Any = None
    media: str = JSON
    accept: str = ""
    path: dict[str, str] = {}  # noqa: RUF012 - read only
    """Values of path parameters other than `$RUN`."""
    more: str = ""
    """Further options of curl."""


_NONE = Example()
_STREAM = "-N --max-time 1"
EXAMPLES: dict[str, Example] = {
    "add_note": Example(body={"note": "vendor API slow", "author": "me", "labels": ["vendor"], "event_index": 2}),
    "add_timeline_note": Example(body={"run_id": "$RUN", "note": "vendor API slow", "actions": ["open ticket"]}),
    "append_events": Example(
        body='{"type": "tool_call", "message": "read config", "step": "extract", "data": {"tool_name": "read"}}\n'
        '{"type": "log", "message": "3 rows", "level": "warn", "event_id": "row-3"}',
        media=NDJSON,
        more="-H 'Idempotency-Key: batch-17'",
    ),
    "cancel_run": Example(body={"force": False}),
    "compare_runs": Example("?left=$OTHER&right=$FAILED"),
    "count_runs": Example("?since=7d"),
    "create_run": Example(body={"name": "nightly-report", "tags": ["prod"], "input": {"date": "2026-11-20"}}),
    "create_token": Example(body={"name": "ci", "scopes": ["ingest", "read"], "tenant": "default", "expires_in_days": 90}),
    "end_run": Example(body={"status": "completed"}),
    "export_run_list": Example("?format=csv&since=7d"),
    "export_timeline_run": Example("?run_id=$RUN"),
    "export_whole_run": Example("?format=jsonl"),
    "heartbeat": Example(body={}),
    "import_run": Example(
        "?as=imported-once",
        body={"run_id": "elsewhere", "events": [{"event_index": 1, "ts_utc": "2026-11-20T06:00:00.000Z",
              "type": "run_started", "stage": "run", "severity": "info", "message": "started", "details": {}}]},
    ),
    "index_events": Example("?level=warn,error", more="-o hits.bin"),
    "fetch_backup": Example(more="-o backup.db"),
    "list_audit": Example("?limit=10"),
    "list_calls": Example("?status=open"),
    "list_events": Example("?limit=2&level=error&order=desc"),
    "list_runs": Example("?status=failed,interrupted&since=7d&limit=10"),
    "list_timeline_events": Example("?run_id=$RUN&severity=error&order=desc"),
    "list_timeline_notes": Example("?run_id=$RUN"),
    "list_timeline_runs": Example("?limit=10"),
    "open_session": Example(body={"token": "$TOKEN"}),
    "pin_run": Example(body={"pinned": True}),
    "prune_runs": Example(body={"older_than_days": 30, "keep": None, "dry_run": True}),
    "read_artifact": Example(path={"step": "_run", "name": "report.txt"}),
    "rebuild_runs": Example(body={"run_id": "$RUN"}),
    "revoke_token": Example(path={"token_id": "$TOKEN_ID"}),
    "show_persona": Example(path={"name": "writer"}),
    "show_pipeline": Example(path={"name": "nightly-report"}),
    "show_histogram": Example("?slots=40"),
    "show_state": Example("?at_seq=2"),
    "show_statistics": Example("?range=30d"),
    "show_timeline_live": Example("?limit=20"),
    "show_timeline_summary": Example("?run_id=$RUN"),
    "sign_in": Example("?code=$CODE"),
    "stream_events": Example(accept=SSE, more=_STREAM),
    "stream_runs": Example(accept=SSE, more=_STREAM),
    "upload_artifact": Example(
        body="all 3 suppliers read\n", media="text/plain", path={"step": "extract", "name": "report.txt"}
    ),
    "verify_store": Example(body={"run_id": "$RUN"}),
}  # fmt: skip
_RUN = {"delete_run": "$OTHER", "show_failure": "$FAILED"}


def curl(route: Route, url: str = URL) -> str:
    """The line that sends the route's example to the server at `url`."""
    example = EXAMPLES.get(route.name, _NONE)
    words = ["curl", "-s"]
    if route.method != "GET":
        words += ["-X", route.method]
    words.append(f'"{url}{target(route)}"')
    if example.accept:
        words += ["-H", f"'Accept: {example.accept}'"]
    if example.more:
        words.append(example.more)
    if example.body is not None:
        words += ["-H", f"'Content-Type: {example.media}'", "--data-binary", _quoted(body_text(route) or "")]
    return " ".join(words)


def target(route: Route) -> str:
    """Path and query with their placeholders."""
    example = EXAMPLES.get(route.name, _NONE)
    path = route.path.replace("{run_id:str}", _RUN.get(route.name, "$RUN"))
    for name, value in example.path.items():
        path = path.replace(f"{{{name}:str}}", value).replace(f"{{{name}:path}}", value)
    return path + example.query


def body_text(route: Route) -> str | None:
    """The example's body as it is sent; None: it has none."""
    body = EXAMPLES.get(route.name, _NONE).body
    return body if body is None or isinstance(body, str) else json.dumps(body)


def _quoted(text: str) -> str:
    """For a shell that fills in placeholders where there are some."""
    if "$" not in text:
        return shlex.quote(text)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
