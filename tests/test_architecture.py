"""The house rules of docs/architecture.md, checked against every file."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

import runline

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "runline"
FILES = sorted(SOURCE.rglob("*.py"))

# Top to bottom, and within a floor left to right: an import points down or rightwards.
# "runline" is the package itself, the public names that only the faces may import from.
FLOORS = [
    ["cli", "tui", "server"],
    ["runline"],
    ["automations", "pipelines", "integrations", "export"],
    ["record"],
    ["store"],
    ["fold"],
    ["intake"],
    ["model"],
]
PLACE = {room: (floor, x) for floor, rooms in enumerate(FLOORS) for x, room in enumerate(rooms)}
BESIDE = "testing"

# Which rooms a library may be imported in; `testing` may use any.
CONFINED = {
    "apsw": {"store"},
    "httpx": {"store"},
    "ijson": {"export"},
    "litestar": {"server"},
    "orjson": {"intake"},
    "psycopg": {"store"},
    "psycopg_pool": {"store"},
    "prometheus_client": {"server"},
    "re2": {"intake"},
    "rich": {"cli"},
    "typer": {"cli"},
    "uvicorn": {"server"},
    "jsonschema_rs": {"pipelines"},
    "yaml": {"pipelines"},
}
LINES = 300
LONGER = {
    "store/interface.py": "one method for each noun of the API, most of it docstrings",
    "store/sql_store.py": "the same methods, a few lines each; every rule is in the file of its noun",
    "store/remote/http_store.py": "the same methods, a request each",
}
UNTESTED = {
    "fold/state.py": "fields without behaviour; tests/fold/test_apply.py fills and reads every one",
    "store/prune_report.py": "fields without behaviour; tests/store/test_retention.py fills and reads every one",
    "server/scope.py": "names alone; tests/server/test_gate.py and test_sse.py use them",
    "testing/accepting.py": "the contract suite is tests; each engine's test_contract.py runs it",
    "testing/appending.py": "the same",
    "testing/contract.py": "the same",
    "testing/following.py": "the same",
    "testing/living.py": "the same",
    "testing/place.py": "the same",
    "testing/projecting.py": "the same",
    "testing/retaining.py": "the same",
    "testing/sessions.py": "the same",
    "testing/streams.py": "the same",
    "testing/timeline.py": "the same",
    "testing/crash.py": "tests/store/test_crash.py tests the crash harness, then with it the store",
    "testing/history.py": "the same",
    "testing/power.py": "the same",
}
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "core", "manager", "base", "base2", "misc"}
DRIVERS_AND_FACES = (
    "typer",
    "rich",
    "textual",
    "litestar",
    "uvicorn",
    "httpx",
    "prometheus_client",
    "apsw",
    "psycopg",
    "ijson",
    "re2",
)


def place_of(file: Path) -> str:
    return file.relative_to(SOURCE).as_posix()


def room_of(file: Path) -> str:
    parts = file.relative_to(SOURCE).parts
    return parts[0] if len(parts) > 1 else "runline"


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import, also those inside functions and under TYPE_CHECKING."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join((*relative_to(file, node.level), *filter(None, [node.module])))
            # `from runline import x` may name a room or a public name.
            yield from (
                (node.lineno, f"{base}.{alias.name}" if base == "runline" else base) for alias in node.names
            )


def relative_to(file: Path, level: int) -> tuple[str, ...]:
    return ("runline", *file.relative_to(SOURCE).parts)[:-level] if level else ()


def imported_room(name: str) -> str | None:
    first, *rest = name.split(".")
    if first != "runline":
        return None
    return rest[0] if rest and (rest[0] in PLACE or rest[0] == BESIDE) else "runline"


def allowed(importer: str, imported: str) -> bool:
    if importer in (imported, BESIDE):
        return imported != "cli" or importer == "cli"
    if imported == BESIDE:
        return False
    (floor, x), (other_floor, other_x) = PLACE[importer], PLACE[imported]
    return (other_floor, other_x) > (floor, x)


def test_every_room_has_its_floor() -> None:
    rooms = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists()}
    assert rooms <= {*PLACE, BESIDE}


@pytest.mark.parametrize(
    ("importer", "imported", "may"),
    [
        ("cli", "model", True),
        ("cli", "runline", True),
        ("cli", "server", True),
        ("server", "cli", False),
        ("store", "fold", True),
        ("store", "record", False),
        ("fold", "intake", True),
        ("model", "store", False),
        ("record", "runline", False),
        ("runline", "record", True),
        ("store", "testing", False),
        ("testing", "record", True),
        ("testing", "cli", False),
    ],
)
def test_the_rule_itself(importer: str, imported: str, *, may: bool) -> None:
    assert allowed(importer, imported) is may


@pytest.mark.parametrize("file", FILES, ids=place_of)
def test_an_import_points_down(file: Path) -> None:
    room = room_of(file)
    wrong = [
        f"{place_of(file)}:{line} imports {name}"
        for line, name in imports(file)
        if (target := imported_room(name)) and not allowed(room, target)
    ]
    assert not wrong


@pytest.mark.parametrize("file", FILES, ids=place_of)
def test_a_library_stays_in_its_room(file: Path) -> None:
    room = room_of(file)
    wrong = [
        f"{place_of(file)}:{line} imports {name}"
        for line, name in imports(file)
        if room != BESIDE and room not in CONFINED.get(name.split(".")[0], {room})
    ]
    assert not wrong


def test_every_source_file_has_its_test_file() -> None:
    missing = [
        place_of(file)
        for file in FILES
        if file.name != "__init__.py"
        and place_of(file) not in UNTESTED
        and not (ROOT / "tests" / file.relative_to(SOURCE).with_name(f"test_{file.name}")).exists()
    ]
    assert not missing


def test_files_are_short_or_say_why_not() -> None:
    long = {place_of(file) for file in FILES if len(file.read_text(encoding="utf-8").splitlines()) > LINES}
    assert long == set(LONGER)


def test_no_exception_outlives_its_file() -> None:
    assert all((SOURCE / name).exists() for name in (*LONGER, *UNTESTED))


def test_names_say_what_is_inside() -> None:
    names = [path for path in SOURCE.rglob("*") if path.suffix in ("", ".py", ".sql")]
    assert not [place_of(path) for path in names if path.stem.strip("_") in FORBIDDEN_NAMES]


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    absolute = re.compile(r"(?<![\w.$}/])/(?:work|tmp|root|home|opt)/\w")
    folders = [
        SOURCE,
        *(ROOT / name for name in ("tests", "docs", "benchmarks", "examples", "scripts", ".ci")),
    ]
    texts = [
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.suffix in (".py", ".md", ".sql", ".sh", "")
    ]
    top = [
        path
        for path in ROOT.iterdir()
        if path.suffix in (".md", ".toml", ".lock", ".yaml") or path.name == "Makefile"
    ]
    wrong = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in (*texts, *top)
        if path.is_file() and (found := absolute.search(path.read_text(encoding="utf-8", errors="replace")))
    ]
    assert not wrong


def test_the_lock_names_no_download_host() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "--hash=sha256:" in lock
    assert not re.search(r"https?:|index-url|find-links|file:", lock)


def test_importing_runline_is_light() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import runline, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "runline" in loaded
    assert not set(loaded) & set(DRIVERS_AND_FACES)


def test_there_is_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    newest = re.search(r"^## \[([^]]+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == project["version"] == version("runline") == runline.__version__


def test_every_target_of_the_makefile_is_listed() -> None:
    listed = subprocess.run(["make", "-s", "-C", ROOT], capture_output=True, text=True, check=True).stdout
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert phony is not None
    assert re.findall(r"^  make (\w+) +\S", listed, re.MULTILINE) == phony[1].split()
