"""Where a store lives: `--store URL` > `RUNLINE_STORE` > the nearest `.runline/runline.db` upwards > here."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote

from runline.model.errors import Invalid

FOLDER = ".runline"
FILE = "runline.db"


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


def sqlite_path(url: str) -> str:
    """The file that a bare path or a URL names: `sqlite:///relative.db`, `sqlite:////absolute.db`.

    Raises Invalid for other schemes.
    """
    scheme, separator, rest = url.partition("://")
    path = url if not separator else unquote(rest.removeprefix("/"))
    if separator and (scheme != "sqlite" or not rest.startswith("/")):
        raise Invalid(
            f"{url!r} is not a store that this version opens; write sqlite:///path/to/file.db or a file's path.",
            code="bad_store_url",
            fields={"store": "unknown scheme"},
        )
    if "\0" in path or not path.strip():
        raise Invalid(f"{url!r} names no file.", code="bad_store_url", fields={"store": "no file"})
    return str(Path(path).expanduser().absolute())
