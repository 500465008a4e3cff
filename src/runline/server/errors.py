"""The one error table: whatever is raised becomes `{"error": sentence, "code": word}` with its status."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from runline.model.errors import Invalid, RunlineError

log = logging.getLogger("runline")
TIMELINE = "/api/timeline/"
RETRY_AFTER_S = 1
_MISSING_RUN_STATUS = 422
_CODES = {
    400: "invalid",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    413: "too_large",
    415: "unsupported_media_type",
    422: "missing_run_id",
    500: "internal",
    503: "unavailable",
}
_encode = msgspec.json.Encoder().encode


class TooLarge(RunlineError):
    """The request is larger than this server takes."""

    code = "too_large"
    status = 413


class UnsupportedMedia(RunlineError):
    """The body is of a type that this route does not take."""

    code = "unsupported_media_type"
    status = 415


class TooSlow(RunlineError):
    """The body did not arrive in time."""

    code = "timeout"
    status = 408


class MissingRunId(Invalid):
    """A Timeline route without the run it is about."""

    code = "missing_run_id"
    status = _MISSING_RUN_STATUS


def problem(error: Exception, path: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body that tell an error to a caller of that path."""
    told: dict[str, Any]
    headers = {"content-type": "application/json"}
    if isinstance(error, RunlineError):
        status, told = error.status, {"error": error.message, "code": error.code}
        if error.fields:
            told["fields"] = error.fields
    elif isinstance(error, HTTPException):
        status = error.status_code
        told = {"error": _sentence(error, path), "code": _CODES.get(status, "error")}
        headers |= {name.lower(): value for name, value in (error.headers or {}).items()}
    else:
        # The sentence of an unexpected error may hold what nobody may see; the log of the server has it.
        log.error("runline: %s failed", path, exc_info=error)
        status = 500
        told = {"error": "This is a defect in Runline; the server's log tells more.", "code": "internal"}
    if status == 503:
        headers["retry-after"] = str(RETRY_AFTER_S)
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="runline"'
    if TIMELINE in path:
        told["detail"] = told["error"]
    return status, headers, _encode(told)


def _sentence(error: HTTPException, path: str) -> str:
    if error.status_code == 404:
        return f"There is nothing at {path[:200]}; /docs lists every route."
    if error.status_code == 405:
        return f"{path[:200]} does not take this method; /docs lists every route."
    return error.detail or "The request cannot be answered."


def _respond(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    status, headers, body = problem(error, request.scope["path"])
    return Response(body, status_code=status, headers=headers, media_type="application/json")


EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    RunlineError: _respond,
    HTTPException: _respond,
    Exception: _respond,
}
