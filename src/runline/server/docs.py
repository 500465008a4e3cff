"""`/docs`: the API for people, made from the same declarations as the OpenAPI document. No script, nothing external."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby
from typing import Any

from runline.server.examples import curl
from runline.server.openapi import ERRORS, TAGS, document
from runline.server.route import Route

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'"
}
_CODE = re.compile(r"`([^`]+)`")

STYLE = b"""\
:root{color-scheme:light dark;--ink:#1c2430;--dim:#5b6675;--line:#d9dee5;--ground:#fff;--soft:#f5f7f9;--mark:#1f6feb}
@media(prefers-color-scheme:dark){:root{--ink:#dfe5ec;--dim:#95a1b0;--line:#2d3642;--ground:#11161c;--soft:#1a2129;--mark:#6cb0ff}}
*{box-sizing:border-box}
body{margin:0;font:15px/1.55 system-ui,sans-serif;color:var(--ink);background:var(--ground)}
main{max-width:62rem;margin:0 auto;padding:2rem 1.25rem 6rem}
h1{font-size:1.5rem;margin:0 0 .25rem}
h2{font-size:1.15rem;margin:2.5rem 0 .5rem;padding-top:.75rem;border-top:1px solid var(--line)}
p{margin:.4rem 0 .6rem;max-width:48rem}
a{color:var(--mark)}
.dim{color:var(--dim)}
code,pre{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,monospace}
code{background:var(--soft);border-radius:4px;padding:.1em .3em}
pre{background:var(--soft);border:1px solid var(--line);border-radius:6px;padding:.6rem .8rem;overflow-x:auto;margin:.5rem 0}
details{border:1px solid var(--line);border-radius:8px;margin:.5rem 0}
summary{display:flex;gap:.75rem;align-items:baseline;flex-wrap:wrap;padding:.55rem .8rem;cursor:pointer;list-style:none}
summary::-webkit-details-marker{display:none}
summary:focus-visible,a:focus-visible{outline:2px solid var(--mark);outline-offset:2px}
details[open]>summary{border-bottom:1px solid var(--line)}
details>div{padding:.5rem .8rem .8rem}
.method{font:600 12px/1 ui-monospace,monospace;min-width:3.6rem}
.path{font:13px/1.4 ui-monospace,monospace;overflow-wrap:anywhere}
.what{color:var(--dim);margin-left:auto}
table{border-collapse:collapse;width:100%;margin:.4rem 0}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line);font-size:14px}
th{font-weight:600;color:var(--dim)}
td:first-child{white-space:nowrap}
@media(max-width:40rem){.what{margin-left:0;width:100%}td:first-child{white-space:normal}}
"""


def page(routes: Iterable[Route], version: str) -> bytes:
    """The whole page."""
    routes = list(routes)
    told = document(routes, version)
    lines = {route.name: curl(route) for route in routes}
    operations = [
        (path, method, operation)
        for path, methods in told["paths"].items()
        for method, operation in methods.items()
    ]
    operations.sort(key=lambda found: TAGS.index(found[2]["tags"][0]))
    body = [f"<h1>Runline {escape(version)}</h1>", *_paragraphs(told["info"]["description"])]
    body.append('<p><a href="openapi.json">openapi.json</a> has the same for programs.</p>')
    for tag, group in groupby(operations, key=lambda found: found[2]["tags"][0]):
        body.append(f"<h2>{escape(tag)}</h2>")
        for path, method, operation in group:
            body += _operation(path, method, operation, lines[operation["operationId"]])
    body.append("<h2>Shapes</h2>")
    for name, schema in sorted(told["components"]["schemas"].items()):
        body += _shape(name, schema)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Runline API</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<link rel="stylesheet" href="docs/style.css"></head><body><main>{"".join(body)}</main></body></html>'
    ).encode()


def _operation(path: str, method: str, operation: dict[str, Any], line: str) -> Iterator[str]:
    name = escape(operation["operationId"])
    yield f'<details id="{name}"><summary><span class="method">{method.upper()}</span>'
    yield f'<span class="path">{escape(path)}</span><span class="what">{escape(operation["summary"])}</span></summary><div>'
    yield from _paragraphs(operation["description"])
    yield f"<pre>{escape(line)}</pre>"
    if operation["parameters"]:
        yield "<table><tr><th>Parameter</th><th>Type</th><th>Meaning</th></tr>"
        for parameter in operation["parameters"]:
            yield f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{_kind(parameter['schema'])}</td>"
            yield f"<td>{_inline(parameter.get('description', ''))}</td></tr>"
        yield "</table>"
    yield "<table><tr><th>Answer</th><th>Body</th><th>When</th></tr>"
    for status, answer in operation["responses"].items():
        error = status.isdigit() and int(status) in ERRORS and int(status) >= 400
        bodies = [
            f"{escape(media)} {_kind(one['schema'])}" for media, one in answer.get("content", {}).items()
        ]
        yield f"<tr><td>{status}</td><td>{'' if error else '<br>'.join(bodies)}</td>"
        yield f"<td>{_inline(answer['description'])}</td></tr>"
    yield "</table></div></details>"


def _shape(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f'<details id="shape-{escape(name)}"><summary><span class="path">{escape(name)}</span></summary><div>'
    yield from _paragraphs(schema.get("description", ""))
    yield "<table><tr><th>Key</th><th>Type</th><th>Meaning</th></tr>"
    required = schema.get("required", ())
    for key, field in schema.get("properties", {}).items():
        optional = "" if key in required or "default" in field else ' <span class="dim">optional</span>'
        yield f"<tr><td><code>{escape(key)}</code>{optional}</td><td>{_kind(field)}</td>"
        yield f"<td>{_inline(field.get('description', ''))}</td></tr>"
    yield "</table></div></details>"


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#shape-{name}">{name}</a>'
    if "anyOf" in schema:
        return " | ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " ".join(f"<code>{escape(str(word))}</code>" for word in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items') or {})}"
    return escape(str(schema.get("type", "any")))


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in filter(None, text.strip().split("\n\n")):
        yield f"<p>{_inline(paragraph)}</p>"


def _inline(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text))
