from __future__ import annotations

import sqlite3
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runline.model.clock import parse_instant
from runline.model.errors import Invalid
from runline.model.event import Event
from runline.model.filter import (
    CLOSED_VALUES,
    COMPARE_FIELDS,
    MATCH_FIELDS,
    MAX_CHARS,
    MAX_TERMS,
    Compare,
    Match,
    Query,
    Scope,
    Term,
    Text,
    json_needle,
    matches,
    parse,
)

NOW = parse_instant("2026-11-20T12:00:00Z")


def read(q: str, scope: Scope = "events") -> tuple[Term, ...]:
    return parse(q, scope=scope, now_ms=NOW).terms


def refusal(q: str, scope: Scope = "events") -> str:
    with pytest.raises(Invalid) as refused:
        read(q, scope)
    assert refused.value.code == "bad_filter"
    assert refused.value.fields == {"q": refused.value.message}
    return refused.value.message


def event(message: str = "", *, data: dict[str, Any] | None = None, **fields: Any) -> Event:
    given_fields: dict[str, Any] = {
        "id": 1,
        "run_id": "r",
        "seq": 1,
        "ts_ms": NOW,
        "type": "log",
        "level": "info",
        "step": None,
        "source": None,
        "correlation_id": None,
        "elapsed_ms": 0,
    } | fields
    return Event(message=message, payload=msgspec.json.encode(data or {}).decode(), **given_fields)


def selects(q: str, candidate: Event) -> bool:
    return matches(parse(q, scope="events", now_ms=NOW), candidate)


def test_the_example_of_the_specification() -> None:
    assert read('level:error step:extract,load type:tool_call "free text" -type:log elapsed:>60') == (
        Match("level", ("error",)),
        Match("step", ("extract", "load")),
        Match("type", ("tool_call",)),
        Text("free text"),
        Match("type", ("log",), negated=True),
        Compare("elapsed", ">", 60_000),
    )


@pytest.mark.parametrize(
    ("q", "terms"),
    [
        ("", ()),
        (" \t\n", ()),
        ("disk full", (Text("disk"), Text("full"))),
        ('-"disk full"', (Text("disk full", negated=True),)),
        (r'"say \"hi\" \\ there"', (Text(r'say "hi" \ there'),)),
        ('foo"bar baz"', (Text("foo"), Text("bar baz"))),
        ('step:"a b",c', (Match("step", ("a b", "c")),)),
        ("step:load[0]", (Match("step", ("load[0]",)),)),
        ("LEVEL:Error", (Match("level", ("error",)),)),
        ("-corr:c1", (Match("corr", ("c1",), negated=True),)),
        ("- --verbose -x", (Text("-"), Text("--verbose"), Text("x", negated=True))),
        ("10:30 :x a<b", (Text("10:30"), Text(":x"), Text("a<b"))),
        ("elapsed>1.5s", (Compare("elapsed", ">", 1500),)),
        ("duration:<=850ms", (Compare("duration", "<=", 850),)),
        ('duration:>="1m 23s"', (Compare("duration", ">=", 83_000),)),
        ("-tokens:<1000", (Compare("tokens", "<", 1000, negated=True),)),
        ("a\x00b\ud800", (Text("a\ufffdb\ufffd"),)),
    ],
)
def test_terms_of_events(q: str, terms: tuple[Term, ...]) -> None:
    assert read(q) == terms


@pytest.mark.parametrize(
    ("q", "terms"),
    [
        ("status:failed,CANCELLED", (Match("status", ("failed", "cancelled")),)),
        (
            "pipeline:nightly kind:run tag:prod",
            tuple(
                Match(field, (value,))
                for field, value in [("pipeline", "nightly"), ("kind", "run"), ("tag", "prod")]
            ),
        ),
        ("since:24h", (Compare("since", ">=", NOW - 86_400_000),)),
        ("-until:2026-11-20T09:00:00Z", (Compare("until", "<", NOW - 3 * 3_600_000, negated=True),)),
        ("elapsed:>60 duration:>60", (Compare("duration", ">", 60_000),) * 2),
    ],
)
def test_terms_of_runs(q: str, terms: tuple[Term, ...]) -> None:
    assert read(q, "runs") == terms


@pytest.mark.parametrize(
    ("q", "scope", "said"),
    [
        ("lvel:error", "events", "Did you mean 'level'?"),
        ("colour:red", "events", "Fields: level, step, type, source, corr, elapsed, tokens, duration."),
        ("status:failed", "events", "'status' filters runs, not events."),
        ("since:24h", "events", "'since' filters runs, not events."),
        ("level:error", "runs", "'level' filters events, not runs."),
        ("http://example.org", "events", "To look for the text itself, quote it."),
        ("level:warning", "events", "Did you mean 'warn'? One of info, warn, error."),
        ("status:ok", "runs", "One of pending, running, completed, failed, cancelled, interrupted."),
        ("level:>error", "events", "cannot be compared with >"),
        ("tokens:>many", "events", "'many' is not a whole number; write tokens:>1000."),
        ("tokens:5", "events", "is compared with one value, like tokens:>1000."),
        ("elapsed:>1,2", "events", "is compared with one value, like elapsed:>90s."),
        ("elapsed:>soon", "events", "'soon' is not a duration"),
        ("since:soon", "runs", "'soon' is not a time"),
        ("since:1h,2h", "runs", "takes one time, like since:24h."),
        ("level:", "events", "'level' needs a value right after it."),
        ("step:a,", "events", "'step' needs a value right after it."),
        ('step:""', "events", "'step' needs a value right after it."),
        ("elapsed:>", "events", "'elapsed' needs a value right after it."),
        ('""', "events", "Put the text to look for between the quotes."),
        ('"never closed', "events", "A quote is not closed"),
        ("x" * (MAX_CHARS + 1), "events", f"longer than {MAX_CHARS} characters"),
        ("x " * (MAX_TERMS + 1), "events", f"more than {MAX_TERMS} terms"),
    ],
)
def test_a_wrong_filter_says_what_to_write_instead(q: str, scope: Scope, said: str) -> None:
    assert said in refusal(q, scope)


def test_a_span_back_is_written_as_the_instant_it_meant() -> None:
    query = parse("since:24h -until:1h", scope="runs", now_ms=NOW)
    assert str(query) == "since:2026-11-19T12:00:00.000Z -until:2026-11-20T11:00:00.000Z"
    assert parse(str(query), scope="runs", now_ms=0) == query


scopes = st.sampled_from(["events", "runs"])
filterish = st.text(
    st.one_of(st.sampled_from(list('"\\-:,<>= \t')), st.sampled_from("aelsvp1"), st.characters()), max_size=60
)


@given(st.one_of(st.text(), filterish), scopes)
def test_any_text_is_a_query_or_refused_and_writes_back(q: str, scope: Scope) -> None:
    try:
        query = parse(q, scope=scope, now_ms=NOW)
    except Invalid:
        return
    assert parse(str(query), scope=scope, now_ms=NOW + 1) == query


storable = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20
)


def terms_of(scope: Scope) -> st.SearchStrategy[Term]:
    def match(field: str) -> st.SearchStrategy[Term]:
        allowed = CLOSED_VALUES.get(field)
        value = st.sampled_from(allowed) if allowed else storable
        return st.builds(
            Match, st.just(field), st.lists(value, min_size=1, max_size=3).map(tuple), st.booleans()
        )

    fields = COMPARE_FIELDS if scope == "events" else ("tokens", "duration")
    compare: st.SearchStrategy[Term] = st.builds(
        Compare,
        st.sampled_from(fields),
        st.sampled_from([">", "<", ">=", "<="]),
        st.integers(min_value=0, max_value=10**12 - 1),
        st.booleans(),
    )
    return st.one_of(st.builds(Text, storable, st.booleans()), compare, *map(match, MATCH_FIELDS[scope]))


@given(st.lists(terms_of("events"), max_size=6))
def test_every_query_of_events_round_trips_through_its_text(terms: list[Term]) -> None:
    assert read(str(Query(tuple(terms)))) == tuple(terms)


@given(st.lists(terms_of("runs"), max_size=6))
def test_every_query_of_runs_round_trips_through_its_text(terms: list[Term]) -> None:
    assert read(str(Query(tuple(terms))), "runs") == tuple(terms)


@pytest.mark.parametrize(
    ("q", "selected"),
    [
        ("", True),
        ("level:error,warn", True),
        ("level:info", False),
        ("-level:info step:load type:log source:agent corr:c1", True),
        ("-step:load", False),
        ("elapsed:>60", True),
        ("elapsed:<60", False),
        ("elapsed:<=61s elapsed:>=61s", True),
        ("tokens:>431 -tokens:>432", True),
        ("duration:>0", False),
        ("-duration:>0", True),
        ("TIMED", True),
        ("vendor", True),
        ("-vendor", False),
        ('"timed  out"', False),
    ],
)
def test_an_event_is_judged_in_memory(q: str, selected: bool) -> None:
    happened = event(
        "request timed out",
        level="error",
        step="load",
        source="agent",
        correlation_id="c1",
        elapsed_ms=61_000,
        data={"who": "Vendor", "tokens_used": 432, "duration_ms": "soon"},
    )
    assert selects(q, happened) is selected


def test_a_negated_term_is_the_exact_complement() -> None:
    bare = event("hello")
    assert selects("-step:load -source:agent -corr:c1 -tokens:>0 -tokens:<=0", bare)
    assert not selects("-tokens:>0", event(data={"tokens_used": 1}))
    assert selects("-tokens:>0", event(data={"tokens_used": True}))


def test_the_step_run_stands_for_no_step() -> None:
    assert selects("step:run", event())
    assert selects("step:run", event(step="run"))
    assert not selects("-step:load,run", event())
    assert not selects("source:run", event())


def test_a_phrase_is_found_in_data_through_its_json_escapes() -> None:
    candidate = event(data={"stack": 'line "1"\nline\t2 é'})
    assert json_needle('"1"\n') == r"\"1\"\n"
    assert selects(r'"line \"1\""', candidate)
    assert selects('"1"', candidate)
    assert selects('"\nline\t2 é"', candidate)
    assert not selects("É", candidate)


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
letters = st.text('aAkKéÉ%_\\"\n*[İ', max_size=8)


@given(st.one_of(texts, letters), st.one_of(texts, letters), st.one_of(storable, letters.filter(bool)))
def test_text_agrees_with_sql_like(message: str, value: str, phrase: str) -> None:
    candidate = event(message, data={"value": value})

    def pattern(needle: str) -> str:
        return "%" + needle.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"

    with sqlite3.connect(":memory:") as database:
        (found,) = database.execute(
            r"SELECT ?1 LIKE ?2 ESCAPE '\' OR ?3 LIKE ?4 ESCAPE '\'",
            (candidate.message, pattern(phrase), candidate.payload, pattern(json_needle(phrase))),
        ).fetchone()
    database.close()
    assert matches(Query((Text(phrase),)), candidate) is bool(found)
