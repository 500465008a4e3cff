"""Write `docs/api.md` from the declarations of the server's routes."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path
from typing import Any

from runline.server.app import declared
from runline.server.examples import curl
from runline.server.openapi import TAGS, needs, query_parameters
from runline.server.route import Route

TARGET = Path(__file__).parent.parent / "docs" / "api.md"
_TYPED = re.compile(r"\{(\w+):\w+\}")

INTRO = """# HTTP API

Generated from `src/runline/server/routes/` by `scripts/generate_api_doc.py`; edit the routes. A running server shows the same with
every shape at `/docs`, and as OpenAPI 3.1 at `/openapi.json`.

```sh
runline serve                                   # http://127.0.0.1:8080, the nearest store, nobody is asked for a token
runline serve --bind 0.0.0.0 --token "$TOKEN"   # for others: everybody is
```

- **Errors** are `{"error": "<sentence>", "code": "<snake_case>"}`, with `fields: {name: sentence}` when a value was refused; routes
  under `/api/timeline/` repeat the sentence as `detail`.
- **Parameters**: an unknown name is refused with a suggestion. A limit over its maximum is clamped; below its minimum, or no whole
  number, it is refused. Repeated or comma-separated values mean any of them. An instant is ISO 8601 or a span back from now (`24h`).
- **Tokens**: `Authorization: Bearer <token>`. A scope is needed for each route; `admin` has all. A token of one tenant sees only its
  runs, and another tenant's id answers exactly as an unknown one.
- **Another site's page** may not call the API: the Host header must name this server, and `Origin` must be ours (`--origin` allows more).
- **Writing** is acknowledged after it is durable. With an `Idempotency-Key` (kept for 24 hours), or an `event_id` per event (kept for
  ever), the same request may be sent again; the same key with another body is 409.
- **Streams** are `text/event-stream`. A client that reconnects with `Last-Event-ID` misses nothing and gets nothing twice; after the
  end event it is told 204. A comment comes every 15 s of silence.
- **Inside your own application**: [mounting.md](mounting.md).

In the lines below `$RUN`, `$OTHER` and `$FAILED` are ids of runs.
"""


def render() -> str:
    """The whole document."""
    routes = sorted(declared(), key=lambda route: TAGS.index(route.tag))
    parts = [INTRO]
    for tag, group in groupby(routes, key=lambda route: route.tag):
        parts.append(f"\n## {tag}\n")
        parts.extend(_route(route) for route in group)
    return "\n".join(parts)


def _route(route: Route) -> str:
    path = _TYPED.sub(r"{\1}", route.path)
    lines = [f"### {route.method} {path}\n", f"{route.summary}. {needs(route)}.\n", f"{route.description}\n"]
    lines.append(f"```sh\n{curl(route)}\n```\n")
    parameters = query_parameters(route.query)
    if route.tenants:
        parameters.append(
            {"name": "tenant", "schema": {"type": "string"}, "description": "Only this tenant's."}
        )
    parameters += [
        {"name": name, "schema": {"type": "header"}, "description": text}
        for name, text in route.headers.items()
    ]
    if parameters:
        lines.append("| parameter | type | default | meaning |\n|---|---|---|---|")
        lines += [_parameter(parameter) for parameter in parameters]
        lines.append("")
    shapes = [f"`{media}`" + (f" {_shape(kind)}" if kind else "") for media, kind in route.answers.items()]
    errors = f"; errors {', '.join(map(str, sorted(route.errors)))}" if route.errors else ""
    lines.append(f"Answers {route.status}{': ' if shapes else ''}{', '.join(shapes)}{errors}.\n")
    return "\n".join(lines)


def _parameter(parameter: dict[str, Any]) -> str:
    schema = parameter["schema"]
    kind = " ".join(f"`{word}`" for word in _closed(schema)) or (
        "list" if schema.get("type") == "array" else schema.get("type", "")
    )
    default = schema.get("default", "")
    text = parameter["description"].replace("|", "\\|")
    return f"| `{parameter['name']}` | {kind} | {default} | {text} |"


def _closed(schema: dict[str, Any]) -> list[str]:
    return list(schema.get("enum") or schema.get("items", {}).get("enum", []))


def _shape(kind: Any) -> str:
    return f"`{getattr(kind, '__name__', 'JSON')}`"


def main() -> None:
    TARGET.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
