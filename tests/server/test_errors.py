"""One table from errors to answers."""

from __future__ import annotations

import json
import logging

import pytest
from litestar.exceptions import HTTPException, NotFoundException

from runline.model import errors
from runline.server.errors import MissingRunId, TooLarge, TooSlow, UnsupportedMedia, problem


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.NotFound("gone", code="pruned"), 404, "pruned"),
        (errors.Conflict("no"), 409, "conflict"),
        (errors.RunEnded("no"), 409, "run_ended"),
        (errors.Invalid("no", fields={"limit": "below 1"}), 400, "invalid"),
        (errors.Unauthorized("no"), 401, "unauthorized"),
        (errors.Forbidden("no"), 403, "forbidden"),
        (errors.StoreFull("no"), 507, "store_full"),
        (errors.Unavailable("no"), 503, "unavailable"),
        (TooLarge("no"), 413, "too_large"),
        (TooSlow("no"), 408, "timeout"),
        (UnsupportedMedia("no"), 415, "unsupported_media_type"),
        (MissingRunId("no"), 422, "missing_run_id"),
        (NotFoundException(), 404, "not_found"),
        (HTTPException(status_code=405), 405, "method_not_allowed"),
        (HTTPException("odd", status_code=418), 418, "error"),
    ],
)
def test_each_error_has_its_status_and_code(error: Exception, status: int, code: str) -> None:
    got, headers, body = problem(error, "/api/runs")
    told = json.loads(body)
    assert (got, told["code"]) == (status, code)
    assert told["error"]
    assert set(told) == {"error", "code"} | ({"fields"} if getattr(error, "fields", None) else set())
    assert headers["content-type"] == "application/json"
    assert ("retry-after" in headers) is (status == 503)
    assert ("www-authenticate" in headers) is (status == 401)


def test_timeline_routes_tell_it_twice() -> None:
    _, _, body = problem(errors.NotFound("There is no run 'x'."), "/api/timeline/summary")
    assert json.loads(body)["detail"] == json.loads(body)["error"] == "There is no run 'x'."


def test_a_defect_tells_nothing_to_the_caller_and_all_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "runline"):
        status, _, body = problem(ValueError("password=hunter2"), "/api/runs")
    assert status == 500
    assert b"hunter2" not in body
    assert caplog.records[0].exc_info is not None


def test_headers_of_an_error_stay() -> None:
    _, headers, _ = problem(HTTPException(status_code=405, headers={"Allow": "GET"}), "/x")
    assert headers["allow"] == "GET"
