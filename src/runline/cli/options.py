"""Arguments and options that several commands share, and values that come from a closed list."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Annotated

import typer

from runline.cli.invocation import Invocation
from runline.model.durations import parse_when
from runline.model.errors import Invalid, RunlineError
from runline.model.status import LEVELS, RUN_STATUSES


def complete_run(ctx: typer.Context, incomplete: str) -> list[str]:
    """Ids of the newest runs, for the shell."""
    try:
        with Invocation.of(ctx).reading() as store:
            return [
                run.run_id for run in store.list_runs(limit=50).items if run.run_id.startswith(incomplete)
            ]
    except RunlineError:
        return []


def complete_status(incomplete: str) -> list[str]:
    return [status for status in RUN_STATUSES if status.startswith(incomplete)]


def complete_level(incomplete: str) -> list[str]:
    return [level for level in LEVELS if level.startswith(incomplete)]


RunArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="RUN",
        help="Id, or its unique beginning or end; the latest run by default.",
        autocompletion=complete_run,
        show_default=False,
    ),
]
EveryRunArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="RUN",
        help="Id, or its unique beginning or end; every run by default.",
        autocompletion=complete_run,
        show_default=False,
    ),
]
RequiredRun = Annotated[
    str,
    typer.Argument(metavar="RUN", help="Id, or its unique beginning or end.", autocompletion=complete_run),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
QueryOption = Annotated[
    str | None,
    typer.Option(
        "-q", "--filter", metavar="FILTER", help="The filter language, like 'level:error \"timeout\"'."
    ),
]
LevelOption = Annotated[
    list[str] | None,
    typer.Option("--level", metavar="LEVEL", help="info, warn or error.", autocompletion=complete_level),
]
StepOption = Annotated[list[str] | None, typer.Option("--step", metavar="STEP", help="Events of this step.")]
TypeOption = Annotated[list[str] | None, typer.Option("--type", metavar="TYPE", help="Events of this type.")]
SourceOption = Annotated[
    list[str] | None, typer.Option("--source", metavar="SOURCE", help="Events from this source.")
]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` Did you mean 'failed'?`; blank when nothing is near."""
    near = get_close_matches(word, tuple(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def one_of(value: str, allowed: Iterable[str], what: str) -> str:
    """The value, in lower case, when it is one of those allowed. Raises Invalid with a suggestion."""
    known = tuple(allowed)
    wanted = value.strip().lower()
    if wanted in known:
        return wanted
    hint = did_you_mean(wanted, known)
    raise Invalid(f"{value[:60]!r} is no {what}.{hint} One of {', '.join(known)}.", fields={what: "unknown"})


def words(
    given: Iterable[str] | None, allowed: Iterable[str] | None = None, what: str = ""
) -> tuple[str, ...]:
    """Repeated and comma-separated values of an option as one list."""
    split = [word.strip() for value in given or () for word in value.split(",") if word.strip()]
    if allowed is None:
        return tuple(split)
    known = tuple(allowed)
    return tuple(one_of(word, known, what) for word in split)


def instant(given: str | None, now_ms: int) -> int | None:
    """The instant of `--since` or `--until`."""
    return None if given is None else parse_when(given, now_ms=now_ms)


def query(given: Iterable[str | None]) -> str | None:
    """Several pieces of filter as one; None when there is none."""
    return " ".join(piece for piece in given if piece) or None
