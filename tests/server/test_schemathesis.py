"""Requests made from the OpenAPI document, good and bad: no server error, and every answer as the document says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.transport.serialization import Binary

from runline.server.app import declared
from runline.server.openapi import document
from runline.server.settings import Settings
from runline.store import open_local
from runline.testing.postgres import PostgresServer
from runline.testing.serving import Serving, serving

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# Streams do not end by themselves; test_event_source.py and the tests of the hub ask them.
ENDLESS = ["/api/events", "/api/stream"]
schema = schemathesis.openapi.from_dict(document(declared(), "0")).exclude(path=ENDLESS)


@schemathesis.serializer("application/x-ndjson")
def lines(_: Any, value: Any) -> bytes:
    if isinstance(value, Binary):
        return bytes(value.data)
    return b"\n".join(msgspec.json.encode(one) for one in (value if isinstance(value, list) else [value]))


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("schemathesis")
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("RUNLINE_ARTIFACTS", str(folder / "artifacts"))
        url = str(folder / "x.db")
        if request.param == "postgres":
            url = stack.enter_context(PostgresServer()).create()
        store = stack.enter_context(open_local(url))
        # The runs that the examples of the document name.
        run = store.create_run("nightly report", run_id="nightly-report-20261120-060000-1a2b3c4d5e").run_id
        store.append(run, [{"type": "step_started", "step": "extract"}, {"type": "error", "message": "no"}])
        with serving(store, Settings(port=0)) as running:
            yield running


def ask(case: schemathesis.Case[Any], server: Serving) -> None:
    # A server that only this machine reaches answers to its own names.
    case.headers.pop("Host", None)
    answer = case.call(base_url=server.url, timeout=30)
    case.validate_response(answer, checks=CHECKS)


@schema.parametrize()
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_few_requests_of_each_route(case: schemathesis.Case[Any], server: Serving) -> None:
    ask(case, server)


@pytest.mark.e2e
@schema.parametrize()
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_many_requests_of_each_route(case: schemathesis.Case[Any], server: Serving) -> None:
    ask(case, server)
