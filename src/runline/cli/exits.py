"""Exit codes: what a script can rely on, in one table that the help and `docs/cli.md` show."""

from __future__ import annotations

from runline.model.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    RunEnded,
    RunlineError,
    StoreFull,
    Unauthorized,
    Unavailable,
)

OK = 0
PROBLEM = 1
USAGE = 2
NOT_FOUND = 3
CONFLICT = 4
STORE = 5
REFUSED = 6
BUG = 70
INTERRUPTED = 130
BROKEN_PIPE = 141

EXIT_CODES: dict[int, str] = {
    OK: "done",
    PROBLEM: "the run did not complete (`watch --exit-status`), or `verify` or `doctor` found a problem",
    USAGE: "the command line or a value in it is wrong",
    NOT_FOUND: "there is no such run, event, file or store",
    CONFLICT: "it contradicts what is stored: the run has ended, or the id is taken",
    STORE: "the store is unavailable, busy, damaged or full",
    REFUSED: "not allowed",
    BUG: "a defect in Runline",
    INTERRUPTED: "stopped by Ctrl-C",
    BROKEN_PIPE: "the reader of the output went away",
}
"""`exec` is apart: it ends as its command does."""

_OF_ERROR: tuple[tuple[type[RunlineError], int], ...] = (
    (NotFound, NOT_FOUND),
    (Conflict, CONFLICT),
    (RunEnded, CONFLICT),
    (Invalid, USAGE),
    (Unauthorized, REFUSED),
    (Forbidden, REFUSED),
    (StoreFull, STORE),
    (Unavailable, STORE),
)


def exit_code(error: RunlineError) -> int:
    return next((code for kind, code in _OF_ERROR if isinstance(error, kind)), STORE)
