"""The line of each route in docs/api.md and /docs, sent by curl as it stands there."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runline.server.app import declared
from runline.server.examples import EXAMPLES, URL, body_text, curl
from runline.server.route import JSON, SSE, Route
from runline.server.settings import Settings
from runline.store import open_local
from runline.testing.serving import Serving, serving
from tests.server.furnished import furnish, manifest

ROOT = Path(__file__).parents[2]
ROUTES = {route.name: route for route in declared()}
_TIMED_OUT = 28


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("examples")
    settings = Settings(port=0, manifest=manifest(folder))
    with open_local(str(folder / "x.db")) as store, serving(store, settings) as running:
        yield running


def test_there_is_no_example_of_a_route_that_is_not_there() -> None:
    assert set(EXAMPLES) <= set(ROUTES)


@pytest.mark.parametrize("name", ROUTES)
def test_each_line_works(server: Serving, name: str, tmp_path: Path) -> None:
    route = ROUTES[name]
    application = server.app.server
    names = furnish(application.store) | {"CODE": application.sign_in.issue("t"), "PATH": "/usr/bin:/bin"}
    line = curl(route, server.url)
    head = (
        ' -o answer -w "%{http_code} %{content_type}" '
        if " -o " not in line
        else ' -w "%{http_code} %{content_type}" '
    )
    done = subprocess.run(
        ["bash", "-c", line.replace("curl -s", "curl -s" + head, 1)],
        env=names,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    endless = SSE in route.answers and route.name != "list_events"
    assert done.returncode == (_TIMED_OUT if endless else 0), (line, done.stderr)
    status, _, media = done.stdout.partition(" ")
    answer = next(tmp_path.iterdir()).read_bytes() if any(tmp_path.iterdir()) else b""
    assert int(status) == route.status, (line, answer[:500])
    assert media.partition(";")[0] in {one.partition(";")[0] for one in route.answers}
    if media.startswith(JSON):
        assert "error" not in json.loads(answer)


def test_the_page_has_the_line_of_every_route() -> None:
    spec = importlib.util.spec_from_file_location("generator", ROOT / "scripts" / "generate_api_doc.py")
    assert spec is not None
    assert spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert text == generator.render(), "run `make docs`"
    assert all(curl(route) in text for route in ROUTES.values())


def test_placeholders_in_a_body_are_for_the_shell() -> None:
    route: Route = ROUTES["rebuild_runs"]
    assert body_text(route) == '{"run_id": "$RUN"}'
    assert curl(route).endswith(r'--data-binary "{\"run_id\": \"$RUN\"}"')
    assert curl(route).startswith(f'curl -s -X POST "{URL}')
    assert body_text(ROUTES["healthz"]) is None
