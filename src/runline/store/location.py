"""Where a store lives: `--store URL` > `RUNLINE_STORE` > the nearest `.runline/runline.db` upwards > here.

A URL names a SQLite file (so does a bare path), a PostgreSQL database, `postgresql://user@host/database`, or a
Runline server, `http(s)://host:port[/prefix]`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote, urlsplit

from runline.model.errors import Invalid
from runline.store.postgres_url import is_postgres, postgres_url

FOLDER = ".runline"
FILE = "runline.db"
_REMOTE = re.compile(r"https?://", re.IGNORECASE)


def store_url(given: str | None = None, *, start: Path | None = None) -> str:
    """The URL of the store to use; the last resort is `.runline/runline.db` in the current folder."""
    wanted = given or os.environ.get("RUNLINE_STORE")
    if wanted:
        return wanted
    here = (start or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        if (folder / FOLDER / FILE).is_file():
            return f"sqlite:///{folder / FOLDER / FILE}"
    return f"sqlite:///{here / FOLDER / FILE}"


def is_remote(url: str) -> bool:
    """Whether the URL names a server."""
    return _REMOTE.match(url) is not None


def address(url: str) -> str:
    """The one way to write a store's URL, so that two of them can be compared. Raises Invalid."""
    if is_postgres(url):
        return postgres_url(url)
    return server_url(url) if is_remote(url) else f"sqlite:///{sqlite_path(url)}"


def server_url(url: str) -> str:
    """`scheme://host[:port][/prefix]` of a server, without a slash at the end.

    Raises Invalid, also for one with a name or a token in it: a URL is shown, logged and handed to child processes.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        _refuse(f"{url[:200]!r} is no address of a server: {error}.", "not an address")
    if "@" in parts.netloc:
        _refuse(
            "A token does not belong into a store's URL: leave out what stands before the @, and set RUNLINE_TOKEN.",
            "holds a name or a token",
        )
    if not host or parts.query or parts.fragment or not url.isprintable() or " " in url:
        _refuse(
            f"{url[:200]!r} is no address of a server; write http://host:port, and a prefix if it has one.",
            "not an address",
        )
    shown = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{shown}{'' if port in (None, usual) else f':{port}'}{parts.path.rstrip('/')}"


def _refuse(sentence: str, why: str) -> NoReturn:
    raise Invalid(sentence, code="bad_store_url", fields={"store": why})


def sqlite_path(url: str) -> str:
    """The file that a bare path or a URL names: `sqlite:///relative.db`, `sqlite:////absolute.db`.

    Raises Invalid for other schemes.
    """
    scheme, separator, rest = url.partition("://")
    path = url if not separator else unquote(rest.removeprefix("/"))
    if separator and (scheme != "sqlite" or not rest.startswith("/")):
        raise Invalid(
            f"{url!r} is not a store that this version opens; write sqlite:///path/to/file.db, a file's path, postgresql://host/database, or a server's http://host:port.",
            code="bad_store_url",
            fields={"store": "unknown scheme"},
        )
    if "\0" in path or not path.strip():
        raise Invalid(f"{url!r} names no file.", code="bad_store_url", fields={"store": "no file"})
    return str(Path(path).expanduser().absolute())
