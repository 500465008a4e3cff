"""`runline serve`, as a process of its own."""

from __future__ import annotations

import importlib
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import httpx
import pytest

from runline.cli.invocation import Invocation
from runline.cli.serve import read_retention
from runline.model.errors import Invalid
from runline.server.serve import Listening
from runline.server.settings import Retention, Settings
from runline.store import open_store

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

serve = importlib.import_module("runline.cli.serve")


@contextmanager
def served(folder: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The URL it printed, and the process."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "runline.cli",
            "serve",
            "--port",
            "0",
            "--store",
            str(folder / "x.db"),
            *options,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        found = re.search(r" at (http://\S+)", line)
        assert found, line + (process.stderr.read() if process.stderr and process.poll() is not None else "")
        yield found[1], process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def test_it_makes_a_store_answers_and_stops_cleanly(tmp_path: Path) -> None:
    with served(tmp_path) as (url, process):
        made = httpx.post(f"{url}/api/runs", json={"name": "job"}).json()
        assert httpx.get(f"{url}/api/runs").json()["runs"][0]["run_id"] == made["run_id"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    with open_store(str(tmp_path / "x.db"), read_only=True) as store:
        assert store.get_run(made["run_id"]).status == "running"


def test_ctrl_c_ends_it_with_a_stream_open(tmp_path: Path) -> None:
    with served(tmp_path) as (url, process):
        run = httpx.post(f"{url}/api/runs", json={"name": "job"}).json()["run_id"]
        headers = {"Accept": "text/event-stream"}
        with httpx.stream("GET", f"{url}/api/runs/{run}/events", headers=headers) as stream:
            lines = stream.iter_lines()
            assert next(lines).startswith("retry:")
            process.send_signal(signal.SIGINT)
            for _ in lines:
                pass
        assert process.wait(20) == 0


def test_with_tokens_it_prints_one_once_and_a_link(tmp_path: Path) -> None:
    with served(tmp_path, "--auth") as (url, process):
        assert httpx.get(f"{url}/api/runs").status_code == 401
        assert process.stderr is not None
        token = re.search(r"rl_\S+", process.stderr.readline())
        link = re.search(r"http://\S+", process.stderr.readline())
        assert token and link
        assert (
            httpx.get(f"{url}/api/runs", headers={"Authorization": f"Bearer {token[0]}"}).status_code == 200
        )
        with httpx.Client() as browser:
            browser.get(link[0], follow_redirects=True)
            assert browser.get(f"{url}/api/runs").status_code == 200


@pytest.fixture
def served_here(monkeypatch: pytest.MonkeyPatch) -> list[Listening]:
    """What would have been served."""
    served: list[Listening] = []

    def run(self: Listening) -> None:
        served.append(self)
        self.close()

    monkeypatch.setattr(Listening, "run", run)
    return served


def test_options_become_settings(cli: CommandLine, served_here: list[Listening], tmp_path: Path) -> None:
    said = cli.text(
        "serve", "--port", "0", "--token", "s3cret", "--host-name", "Runs.Example", "--origin", "https://A.example/",
        "--retention", "14d,keep=5", "--artifact-root", str(tmp_path), "--no-open",
    )  # fmt: skip
    server = served_here[0].app.server
    assert server.settings.token == "s3cret"
    assert server.settings.hosts == ("runs.example",)
    assert server.settings.origins == ("https://a.example",)
    assert server.settings.retention == Retention(older_than_days=14, keep=5)
    assert server.store.artifact_roots == (tmp_path.resolve(),)
    assert served_here[0].url in said
    assert "s3cret" not in said


def test_on_loopback_nobody_is_asked(cli: CommandLine, served_here: list[Listening]) -> None:
    said = cli.text("serve", "--port", "0")
    assert "token" not in said
    assert served_here[0].app.server.settings.token is None


def test_a_token_is_made_where_one_is_needed(cli: CommandLine, served_here: list[Listening]) -> None:
    said = cli.text("serve", "--port", "0", "--auth")
    token = served_here[0].app.server.settings.token
    assert token
    assert said.count(token) == 1
    assert "/signin?code=" in said


def test_a_desktop_sees_it_at_once(
    cli: CommandLine, served_here: list[Listening], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(serve, "_has_desktop", lambda: True)
    monkeypatch.setattr(serve.webbrowser, "open", opened.append)
    cli("serve", "--port", "0")
    cli("serve", "--port", "0", "--no-open")
    assert opened == [served_here[0].url]


def test_any_port_rather_than_none(cli: CommandLine, served_here: list[Listening]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, cli.store() as store:
        port = taken.getsockname()[1]
        serve.serve_store(Invocation(), store, Settings(port=port), open_browser=False, any_port=True)
        cli("serve", "--port", str(port), exits=4)
    assert len(served_here) == 1
    assert not served_here[0].url.endswith(f":{port}")


def test_a_taken_port_names_a_free_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = subprocess.run(
            [
                sys.executable,
                "-m",
                "runline.cli",
                "serve",
                "--port",
                str(port),
                "--store",
                str(tmp_path / "x.db"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    assert refused.returncode == 4
    free = re.search(r"--port (\d+) is free", refused.stderr)
    assert free
    with socket.create_server(("127.0.0.1", int(free[1]))):
        pass


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("14d", Retention(older_than_days=14, keep=None)),
        ("keep=20", Retention(older_than_days=None, keep=20)),
        ("36h, keep=5, max-size=1MB", Retention(older_than_days=1.5, keep=5, max_size_bytes=1_000_000)),
    ],
)
def test_rules_of_retention(text: str, rules: Retention) -> None:
    assert read_retention(text) == rules


@pytest.mark.parametrize(
    "text", ["", " , ", "soon", "keep=", "keep=-1", "keep=many", "size=1", "max-size=x", "keep=²"]
)
def test_other_rules_are_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read_retention(text)


def on_terminal(*, yes: bool) -> SimpleNamespace:
    return SimpleNamespace(isatty=lambda: yes)


@pytest.mark.parametrize(
    ("platform", "terminal", "environment", "has"),
    [
        ("linux", True, {"DISPLAY": ":0"}, True),
        ("linux", True, {"WAYLAND_DISPLAY": "w"}, True),
        ("linux", True, {}, False),
        ("darwin", True, {}, True),
        ("darwin", False, {}, False),
        ("linux", True, {"DISPLAY": ":0", "CI": "1"}, False),
        ("linux", True, {"DISPLAY": ":0", "SSH_CONNECTION": "x"}, False),
    ],
)
def test_a_browser_opens_only_where_somebody_sees_it(
    monkeypatch: pytest.MonkeyPatch, platform: str, environment: dict[str, str], *, terminal: bool, has: bool
) -> None:
    monkeypatch.setattr(serve, "sys", SimpleNamespace(platform=platform, stdout=on_terminal(yes=terminal)))
    monkeypatch.setattr(serve, "os", SimpleNamespace(environ=environment))
    assert serve._has_desktop() is has
