"""`runline demo`: real commands, really recorded; one of them fails, one is killed, one is left running."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

import runline
from runline.cli.demo_work import library
from runline.cli.invocation import Invocation
from runline.cli.ls import run_table
from runline.cli.moments import running_ms
from runline.cli.output import Output
from runline.cli.roles import Span
from runline.cli.run_ids import short_ids
from runline.cli.show import print_run
from runline.cli.why import print_why
from runline.model.durations import format_ms
from runline.model.run import Run
from runline.store.postgres_url import reachable

_LIVE, _UNDER_WAY, _START_S = "index-library", 10, 10
"""The run left behind counts as under way when it has said this much, and is waited for this long."""
_TEST_MODULE = """\
import unittest


class RateTest(unittest.TestCase):
    def test_a_rate_is_a_fraction(self):
        self.assertEqual(round(3 / 4, 2), 0.75)

    def test_rates_add_up(self):
        self.assertEqual(sum([0.1, 0.2, 0.3]), 0.6)

    def test_no_runs_have_no_rate(self):
        self.assertIsNone(None)
"""
_HUNGRY = """\
import hashlib, resource
resource.setrlimit(resource.RLIMIT_CPU, (1, 2))
digest, rounds = b"seed", 0
while True:
    digest = hashlib.pbkdf2_hmac("sha256", digest, b"salt", 20_000)
    rounds += 1
    if rounds % 20 == 0:
        print("round", rounds, digest.hex()[:12], flush=True)
"""


class _Job(NamedTuple):
    """A command and what it is called. `recorder`: it records itself instead of being run by `exec`."""

    name: str
    command: list[str]
    recorder: bool = False


def demo(
    ctx: typer.Context,
    *,
    seconds: Annotated[
        float,
        typer.Option("--live", metavar="SECONDS", help="How long the run left behind works; 0 for none."),
    ] = 120.0,
    serve: Annotated[
        bool, typer.Option("--serve", help="Then serve the store over HTTP, until Ctrl-C.")
    ] = False,
) -> None:
    """Record real commands into the store, leave one running, and show what Runline makes of them."""
    invocation = Invocation.of(ctx)
    out = invocation.out
    with tempfile.TemporaryDirectory(prefix="runline-demo-") as folder:
        out.line("Recording real commands into ", Span(invocation.url, "bold"))
        out.blank()
        with invocation.writing() as store:
            for job in _jobs(Path(folder)):
                before = {run.run_id for run in store.list_runs(limit=100).items}
                subprocess.run(_argv(job), env=_environment(invocation), check=False, **_QUIET)
                for run in store.list_runs(limit=100).items:
                    if run.run_id not in before:
                        _say(out, run, invocation.now_ms())
    if seconds > 0:
        _leave_running(invocation, seconds)
    with invocation.reading() as store:
        for failed in store.list_runs(name="archive-library", status="failed", limit=1).items:
            short = short_ids([failed.run_id])[failed.run_id]
            _title(out, "runline show", short)
            print_run(invocation, store, store.get_run(failed.run_id), events=8)
            _title(out, "runline why", short)
            print_why(invocation, store, store.get_run(failed.run_id))
        _title(out, "runline ls")
        runs = store.list_runs(limit=10).items
        run_table(out, runs, now_ms=invocation.now_ms(), utc=invocation.utc)
        _farewell(out, runs)
    if serve:
        _serve(invocation)


_QUIET: dict[str, Any] = {
    "stdout": subprocess.DEVNULL,
    "stderr": subprocess.DEVNULL,
    "stdin": subprocess.DEVNULL,
}


def _jobs(folder: Path) -> Iterator[_Job]:
    """The commands, each with what it needs made just before."""
    python = sys.executable
    source, archive = folder / "library", folder / "library.zip"
    package = Path(runline.__file__).parent
    shutil.copytree(package, folder / "runline", ignore=shutil.ignore_patterns("__pycache__", "_web"))
    yield _Job("compile-runline", [python, "-m", "compileall", "-f", str(folder / "runline")])
    home = Path(os.__file__).parent
    for path in library():
        copied = source / path.relative_to(home)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copied)
    work = [python, "-m", "runline.cli.demo_work", "archive", str(source), str(archive)]
    yield _Job("archive-library", work, recorder=True)
    yield _Job("archive-library", work, recorder=True)
    yield _Job("archive-library", [*work, "--meddle"], recorder=True)
    (folder / "test_rates.py").write_text(_TEST_MODULE, encoding="utf-8")
    yield _Job(
        "test-rates", [python, "-m", "unittest", "discover", "-v", "-s", str(folder), "-p", "test_rates.py"]
    )
    yield _Job("derive-keys", [python, "-c", _HUNGRY])


def _argv(job: _Job) -> list[str]:
    if job.recorder:
        return job.command
    return [
        sys.executable,
        "-m",
        "runline.cli",
        "exec",
        "--name",
        job.name,
        "--tag",
        "demo",
        "--",
        *job.command,
    ]


def _environment(invocation: Invocation) -> dict[str, str]:
    """The environment with the store chosen here, and no run to be the child of."""
    kept = {
        name: value for name, value in os.environ.items() if name not in ("RUNLINE_RUN_ID", "RUNLINE_STEP")
    }
    return {**kept, "RUNLINE_STORE": reachable(invocation.url), "PYTHONUNBUFFERED": "1"}


def _leave_running(invocation: Invocation, seconds: float) -> None:
    """Starts work that goes on after this process, and waits until its run is in the store."""
    command = [sys.executable, "-m", "runline.cli.demo_work", "detached", str(seconds)]
    subprocess.run(command, env=_environment(invocation), check=False, **_QUIET)
    with invocation.reading() as store:
        changed = store.follow_runs(timeout_s=_START_S)
        next(
            (run for run in changed if run.name == _LIVE and run.is_active and run.last_seq > _UNDER_WAY),
            None,
        )


def _serve(invocation: Invocation) -> None:
    from runline.cli.serve import serve_store
    from runline.server.settings import Settings

    invocation.out.blank()
    with invocation.local() as store:
        serve_store(invocation, store, Settings(), open_browser=True, any_port=True)


def _say(out: Output, run: Run, now_ms: int) -> None:
    word = out.status(run.status)
    out.line(
        Span(f"  {word.text:<14}", word.role),
        f"{run.name:<18}",
        Span(format_ms(running_ms(run, now_ms)), "dim"),
    )


def _title(out: Output, command: str, rest: str = "") -> None:
    out.blank()
    out.blank()
    out.line(Span("$ ", "dim"), Span(f"{command} {rest}".rstrip(), "bold"))
    out.blank()


def _farewell(out: Output, runs: list[Run]) -> None:
    live = next((run for run in runs if run.status == "running"), None)
    out.blank()
    if live is not None:
        short = short_ids([run.run_id for run in runs])[live.run_id]
        out.line(f"{live.name} is still running. Follow it:")
        out.line(Span(f"  runline tail -f {short}     its events as they come", "bold"))
        out.line(Span(f"  runline watch {short}       its progress on one screen", "bold"))
