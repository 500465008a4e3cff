"""The OpenAPI 3.1 document, made from the declarations of the routes and the structs of their answers."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from runline.model.wire.error import ErrorView
from runline.server.examples import EXAMPLES
from runline.server.route import JSON, NDJSON, Route

TAGS = (
    "Server",
    "Runs",
    "Events",
    "Notes",
    "Artifacts",
    "Exports",
    "Statistics",
    "Timeline",
    "Pipelines",
    "Tokens",
    "Admin",
)
"""In the order in which people read about them."""
_REF = "#/components/schemas/{name}"
_PATH_PARAMETER = re.compile(r"\{(?P<name>\w+):(?P<kind>\w+)\}")
PATH_PARAMETERS = {
    "run_id": ("The run's id.", "nightly-report-20261120-060000-1a2b3c4d5e"),
    "step": ("A step's name; `_run` for what belongs to the run as a whole.", "extract"),
    "name": ("The name of the artifact, the pipeline or the persona.", "report.html"),
    "token_id": ("The token's id (not the token itself).", "tok_1a2b3c4d"),
}
ERRORS = {
    400: "A parameter or the body is wrong; `fields` says which.",
    401: "No token, or one that is unknown, expired or revoked.",
    403: "The token does not allow this, or another site's page asked.",
    404: "There is no such thing, or not for this caller; `code` is `pruned` when retention removed it.",
    408: "The body did not arrive in time.",
    409: "It contradicts what is stored; `code` says how.",
    413: "The request is too large.",
    415: "The body is of a type or encoding that this route does not take.",
    422: "`run_id` is missing.",
    503: "The store cannot answer now; try again after `Retry-After` seconds.",
    507: "The disk is full; nothing of the request was stored.",
}
_NO_JSON = {"application/octet-stream": "binary"}
_SCALARS: dict[str, dict[str, Any]] = {"tenant": {"type": "string"}}
_DESCRIPTION = """\
Runline records every run of a pipeline, agent or automation as one durable, ordered stream of events.

Errors are `{"error": "<sentence>", "code": "<snake_case>"}`, with `fields` when a value was refused. Instants are
ISO 8601 in UTC with milliseconds, or, in parameters, a span back from now such as `24h` or `7d`. A parameter that
takes several values takes them repeated or separated by commas, and means any of them. A limit over its maximum is
clamped. Send `Authorization: Bearer <token>`; on a server of your own machine without tokens nothing is needed.
"""


def document(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """The whole document as plain values."""
    routes = sorted(routes, key=lambda route: (TAGS.index(route.tag), route.path))
    structs = _structs(routes)
    schemas, components = msgspec.json.schema_components(structs, ref_template=_REF)
    schema_of = dict(zip(map(_key, structs), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = _PATH_PARAMETER.sub(r"{\g<name>}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Runline",
            "version": version,
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": ".", "description": "Where this document came from."}],
        "tags": [{"name": name} for name in TAGS],
        "security": [{"token": []}, {"cookie": []}, {}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "runline_session"},
            },
        },
    }


def document_json(routes: Iterable[Route], version: str) -> bytes:
    return msgspec.json.encode(document(routes, version))


def query_parameters(query: type[Struct] | None) -> list[dict[str, Any]]:
    """Name, schema, description and default of each parameter of a query struct."""
    if query is None:
        return []
    schema = msgspec.json.schema(query)["$defs"][query.__name__]
    required = schema.get("required", [])
    return [
        _parameter(name, dict(field), required=name in required)
        for name, field in schema["properties"].items()
    ]


def _parameter(name: str, schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    described = {"name": name, "in": "query", "description": schema.pop("description", "")}
    examples = schema.pop("examples", [])
    default = schema.pop("default", None)
    closed = schema.pop("enum", None)
    if "prefixItems" in schema or schema.get("type") == "array":
        schema = {"type": "array", "items": {"type": "string"} | ({"enum": closed} if closed else {})}
        described |= {"style": "form", "explode": False}
    elif "anyOf" in schema:
        plain = [one for one in schema.pop("anyOf") if one.get("type") != "null"]
        schema = plain[0] | schema
    if closed and schema.get("type") != "array":
        schema["enum"] = closed
    if default not in (None, [], ()):
        schema["default"] = default
    described["schema"] = schema
    if examples:
        described["example"] = examples[0]
    if required:
        described["required"] = True
    return described


def _operation(route: Route, schema_of: dict[str, Any]) -> dict[str, Any]:
    parameters = [_path_parameter(found["name"]) for found in _PATH_PARAMETER.finditer(route.path)]
    parameters += query_parameters(route.query)
    if route.tenants:
        parameters.append(
            {
                "name": "tenant",
                "in": "query",
                "description": "Only this tenant's; all that the token sees when absent.",
                "schema": {"type": "string"},
            }
        )
    parameters += [
        {"name": name, "in": "header", "description": text, "schema": {"type": "string"}}
        for name, text in route.headers.items()
    ]
    told: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "description": route.description,
        "tags": [route.tag],
        "parameters": parameters,
        "responses": _responses(route, schema_of),
    }
    told["description"] += f"\n\n{needs(route)}."
    if route.scope == "public":
        told["security"] = []
    if route.consumes and (route.body is not None or route.streams):
        told["requestBody"] = {
            "required": route.body_required,
            "content": {
                media: _media(media, schema_of.get(_key(route.body))) | _example(route, media)
                for media in route.consumes
            },
        }
    return told


def needs(route: Route) -> str:
    """Whom the route is for, in words."""
    if route.scope == "public":
        return "Needs no token"
    return "Needs any token" if route.scope == "any" else f"Needs the scope `{route.scope}`"


def _example(route: Route, media: str) -> dict[str, Any]:
    example = EXAMPLES.get(route.name)
    return (
        {"example": example.body} if example and example.body is not None and example.media == media else {}
    )


def _responses(route: Route, schema_of: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": route.summary}
    answer["content"] = {
        media: _media(media, None if kind is None else schema_of.get(_key(kind)))
        for media, kind in route.answers.items()
    }
    responses = {str(route.status): answer}
    error = {JSON: {"schema": schema_of[_key(ErrorView)]}}
    for status in sorted({*_always(route), *route.errors}):
        responses[str(status)] = {"description": ERRORS[status], "content": error}
    return responses


def _always(route: Route) -> tuple[int, ...]:
    """What any such route may answer besides what it declares."""
    asks = () if route.scope == "public" else (401,)
    return (400, 403, *asks, *((408, 413, 415, 503, 507) if route.method in ("POST", "PUT", "PATCH") else ()))


def _media(media: str, schema: dict[str, Any] | None) -> dict[str, Any]:
    if schema is not None and media in (JSON, NDJSON):
        return {"schema": schema}
    if media == JSON:
        return {"schema": {"type": "object"}}
    if media in ("application/octet-stream", "*/*"):
        return {"schema": {"type": "string", "format": "binary"}}
    return {"schema": {"type": "string"}}


def _path_parameter(name: str) -> dict[str, Any]:
    text, example = PATH_PARAMETERS[name]
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": text,
        "schema": {"type": "string"},
        "example": example,
    }


def _structs(routes: list[Route]) -> list[Any]:
    kinds = [ErrorView]
    for route in routes:
        kinds += [kind for kind in (*route.answers.values(), route.body) if kind is not None]
    return list({_key(kind): kind for kind in kinds}.values())


def _key(kind: Any) -> str:
    return getattr(kind, "__qualname__", "") + str(typing.get_args(kind) or "")
