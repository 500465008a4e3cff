"""Filters as SQL: the filter language and the plain parameters, for events and for runs.

Every condition on level, step or type is answered by the covering index of the log; what needs the
event's text (`Text`, tokens, duration) makes the query a scan, which `events.py` cuts into short slices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from runline.model.errors import Invalid
from runline.model.event import NO_STEP
from runline.model.filter import Compare, Match, Query, Text, json_needle
from runline.model.status import LEVELS, RUN_STATUSES, SILENT_AFTER_MS, UNANNOUNCED_AFTER_MS
from runline.store.codes import LEVEL_CODES, Codes
from runline.store.engine import Reading

_MOST_VALUES = 1_000


class EventFilter(Struct, frozen=True, kw_only=True):
    """Which events: all conditions must hold, any of a tuple's values will do."""

    types: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    correlation_id: str | None = None
    query: Query = Query()

    @property
    def scans(self) -> bool:
        """It looks at the text of events, so no index can answer it."""
        return any(
            isinstance(term, Text)
            or (isinstance(term, Compare) and term.field != "elapsed")
            or (isinstance(term, Match) and term.field == "source")
            for term in self.query.terms
        )


class Where:
    """Conditions and their parameters, collected."""

    def __init__(self) -> None:
        self.conditions: list[str] = []
        self.parameters: dict[str, Any] = {}

    def bind(self, value: Any) -> str:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f":{name}"

    def any_of(self, column: str, values: Sequence[Any], *, negated: bool = False) -> None:
        """`column` is one of the values; negated, also when it is NULL."""
        if len(values) > _MOST_VALUES:
            raise Invalid(f"At most {_MOST_VALUES} values at once.", code="too_many_values")
        marks = ", ".join(self.bind(value) for value in values)
        if not values:
            self.conditions.append("1 = 1" if negated else "1 = 0")
        elif negated:
            self.conditions.append(f"({column} IS NULL OR {column} NOT IN ({marks}))")
        else:
            self.conditions.append(f"{column} IN ({marks})")

    def add(self, condition: str, *, negated: bool = False) -> None:
        # A comparison with NULL is NULL, and its complement must be true.
        self.conditions.append(f"({condition}) IS NOT TRUE" if negated else condition)

    @property
    def sql(self) -> str:
        return " AND ".join(self.conditions) or "1 = 1"


def like(phrase: str) -> str:
    """The LIKE pattern (ESCAPE '!') that finds the phrase anywhere."""
    for special in "!%_":
        phrase = phrase.replace(special, "!" + special)
    return f"%{phrase}%"


def event_where(wanted: EventFilter, codes: Codes, source: Reading, run: int, started_at_ms: int) -> Where:
    """The conditions on one run's events, beside `run` and the range of seq."""
    where = Where()
    for level in wanted.levels:
        if level not in LEVELS:
            raise Invalid(
                f"{level[:60]!r} is no level; one of {', '.join(LEVELS)}.", fields={"level": "unknown"}
            )
    terms: list[Match | Text | Compare] = [
        Match(field, values)
        for field, values in (
            ("level", wanted.levels),
            ("type", wanted.types),
            ("step", wanted.steps),
            ("source", wanted.sources),
            ("corr", () if wanted.correlation_id is None else (wanted.correlation_id,)),
        )
        if values
    ]
    for term in [*terms, *wanted.query.terms]:
        if isinstance(term, Match):
            _match(where, term, codes, source, run)
        elif isinstance(term, Text):
            message, data = where.bind(like(term.phrase)), where.bind(like(json_needle(term.phrase)))
            where.add(
                f"(message LIKE {message} ESCAPE '!' OR data LIKE {data} ESCAPE '!')", negated=term.negated
            )
        else:
            _compare(where, term, started_at_ms)
    return where


def _match(where: Where, term: Match, codes: Codes, source: Reading, run: int) -> None:
    match term.field:
        case "level":
            where.any_of("level", [LEVEL_CODES[value] for value in term.values], negated=term.negated)
        case "type":
            where.any_of("type", codes.known("types", term.values), negated=term.negated)
        case "source":
            where.any_of("source", codes.known("sources", term.values), negated=term.negated)
        case "corr":
            where.any_of("correlation_id", term.values, negated=term.negated)
        case _:
            _match_step(where, term, source, run)


def _match_step(where: Where, term: Match, source: Reading, run: int) -> None:
    marks = ", ".join("?" * len(term.values))
    rows = source.execute(f"SELECT step FROM steps WHERE run = ? AND name IN ({marks})", (run, *term.values))
    numbers = [row[0] for row in rows]
    if NO_STEP in term.values:
        marks = ", ".join(where.bind(number) for number in numbers)
        condition = f"(step IS NULL OR step IN ({marks}))" if numbers else "step IS NULL"
        where.add(condition, negated=term.negated)
    else:
        where.any_of("step", numbers, negated=term.negated)


def _compare(where: Where, term: Compare, started_at_ms: int) -> None:
    if term.field == "elapsed":
        value = where.bind(started_at_ms)
        number = f"(CASE WHEN ts > {value} THEN ts - {value} ELSE 0 END)"
    else:
        key = "$.tokens_used" if term.field == "tokens" else "$.duration_ms"
        number = f"(CASE WHEN json_type(data, '{key}') IN ('integer', 'real') THEN json_extract(data, '{key}') END)"
    where.add(f"{number} {term.op} {where.bind(term.value)}", negated=term.negated)


def status_sql(now: str) -> str:
    """The run's status judged by liveness: one expression, so that every face, view and filter agrees.

    Needs `runs` and `liveness` (left-joined) in scope; `now` is SQL for the present in milliseconds.
    """
    return (
        "(CASE WHEN runs.status = 'running' AND ("
        f"(liveness.seen_at IS NOT NULL AND liveness.seen_at < {now} - {SILENT_AFTER_MS}) OR "
        f"(liveness.seen_at IS NULL AND runs.appended_at < {now} - {UNANNOUNCED_AFTER_MS})"
        ") THEN 'interrupted' ELSE runs.status END)"
    )


class RunFilter(Struct, frozen=True, kw_only=True):
    """Which runs: all conditions must hold, any of a tuple's values will do. Instants in ms since 1970."""

    status: tuple[str, ...] = ()
    name: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    since_ms: int | None = None
    until_ms: int | None = None
    parent_run_id: str | None = None
    query: Query = Query()


def run_where(wanted: RunFilter, tenant: str | None, now_ms: int) -> Where:
    """The conditions on `runs` left-joined with `liveness`."""
    where = Where()
    if tenant is not None:
        where.any_of("runs.tenant", [tenant])
    for status in wanted.status:
        if status not in RUN_STATUSES:
            raise Invalid(
                f"{status[:60]!r} is no status; one of {', '.join(RUN_STATUSES)}.",
                fields={"status": "unknown"},
            )
    terms: list[Match | Text | Compare] = [
        Match(field, values)
        for field, values in (
            ("status", wanted.status),
            ("pipeline", wanted.name),
            ("kind", wanted.kind),
            ("tag", wanted.tag),
        )
        if values
    ]
    if wanted.since_ms is not None:
        terms.append(Compare("since", ">=", wanted.since_ms))
    if wanted.until_ms is not None:
        terms.append(Compare("until", "<", wanted.until_ms))
    if wanted.parent_run_id is not None:
        where.any_of("runs.parent_run_id", [wanted.parent_run_id])
    for term in [*terms, *wanted.query.terms]:
        if isinstance(term, Text):
            pattern = where.bind(like(term.phrase))
            where.add(
                f"(runs.run_id LIKE {pattern} ESCAPE '!' OR runs.name LIKE {pattern} ESCAPE '!' "
                f"OR coalesce(runs.error_message, '') LIKE {pattern} ESCAPE '!')",
                negated=term.negated,
            )
        elif isinstance(term, Match):
            _match_run(where, term, now_ms)
        else:
            _compare_run(where, term, now_ms)
    return where


def _match_run(where: Where, term: Match, now_ms: int) -> None:
    match term.field:
        case "status":
            where.any_of(status_sql(where.bind(now_ms)), term.values, negated=term.negated)
            if not term.negated:
                # What reads interrupted is stored as running; this lets the index by status narrow the search.
                stored = {"running" if value == "interrupted" else value for value in term.values}
                where.any_of("runs.status", sorted(stored | ({"interrupted"} & set(term.values))))
        case "tag":
            marks = ", ".join(where.bind(value) for value in term.values)
            where.add(
                f"EXISTS (SELECT 1 FROM json_each(runs.tags) WHERE value IN ({marks}))", negated=term.negated
            )
        case field:
            where.any_of(
                "runs.name" if field == "pipeline" else "runs.kind", term.values, negated=term.negated
            )


def _compare_run(where: Where, term: Compare, now_ms: int) -> None:
    if term.field in ("since", "until"):
        number = "runs.started_at"
    elif term.field == "tokens":
        number = "runs.total_tokens"
    else:
        number = f"(coalesce(runs.completed_at, {where.bind(now_ms)}) - runs.started_at)"
    where.add(f"{number} {term.op} {where.bind(term.value)}", negated=term.negated)
