from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import pytest

from runline.cli.failure_block import divergence, failure_block, open_call, seen
from runline.cli.glyphs import UNICODE
from runline.cli.output import Output
from runline.fold.compare import Divergence
from runline.fold.failure import ErrorLink, SeenBefore
from runline.model.call import Call
from runline.model.step import Usual

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def block(
    cli: CommandLine, run_id: str, *, whole: bool = True, tail: tuple[str, ...] = (), **changes: Any
) -> str:
    import msgspec

    out = Output(io.StringIO(), on_terminal=False, glyphs=UNICODE, environ={})
    with cli.store() as store:
        failure = msgspec.structs.replace(store.failure(run_id), **changes)
        failure_block(
            out, store.get_run(run_id), failure, now_ms=store.clock.now_ms(), whole=whole, tail=tail
        )
    return out.drawn()


def test_first_error_step_and_what_it_blocked(cli: CommandLine) -> None:
    cli.completed()
    said = block(cli, cli.failed().run_id)
    assert said.startswith(
        "✖ DecimalOverflow: 1e309 does not fit numeric(9,4)\n  step transform · event 11 · +"
    )
    assert "▫ blocked  load, report" in said
    assert "caused by  ValueError: empty string" in said
    assert "    Traceback:\n      row 48213\n" in said
    assert "then, event 12  transform failed" in said
    assert "  ⧗ left open: lookup_vat in transform\n" in said
    assert "seen before  never in 1 earlier run of nightly" in said
    assert "last good    nightly-" in said
    assert "differs      first in step " in said


def test_in_short_it_has_neither_chain_nor_history(cli: CommandLine) -> None:
    said = block(cli, cli.failed().run_id, whole=False)
    assert "DecimalOverflow" in said
    assert "caused by" not in said
    assert "seen before" not in said


def test_a_run_without_an_error_says_what_is_known(cli: CommandLine) -> None:
    run = cli.emitted({"type": "log"}, end="cancelled")
    said = block(cli, run.run_id, first_error=None, error_chain=())
    assert said.startswith("⊘ cancelled\n")
    failed = cli.emitted({"type": "log"}, end="failed")
    said = block(cli, failed.run_id, first_error=None, error_chain=())
    assert said.startswith("✖ failed, and no event says why\n")


@pytest.mark.parametrize("force", [False, True])
def test_a_cancelled_run_says_who_asked_and_when(cli: CommandLine, force: bool) -> None:
    run = cli.running()
    with cli.store() as store:
        store.cancel(run.run_id, force=force)
        if not force:
            store.end_run(run.run_id, "cancelled", error="killed by SIGTERM")
    for said in (cli.text("show", run.run_id), cli.text("why", run.run_id)):
        found = re.search(
            r"^⊘ cancelled, as runline asked at event 5, \+00:00\.\d{3}(.*)$", said, re.MULTILINE
        )
        assert found is not None
        assert found[1] == (", by force" if force else ": killed by SIGTERM")


def test_many_later_errors_are_counted(cli: CommandLine) -> None:
    links = tuple(ErrorLink("later", seq, None, None, f"later {seq}", None) for seq in range(8))
    said = block(
        cli, cli.failed().run_id, error_chain=(ErrorLink("first", 1, None, None, "later 0", None), *links)
    )
    assert said.count("then, event") == 5
    assert "later 0" not in said.split("blocked")[1]
    assert "and 2 later errors" in said


def test_what_a_command_printed_last_is_shown_unless_it_is_the_error_itself(cli: CommandLine) -> None:
    run_id = cli.failed().run_id
    assert "    make: *** [all] Error 2\n" in block(cli, run_id, tail=("cc x.c", "make: *** [all] Error 2"))
    alone = ("1e309 does not fit numeric(9,4)",)
    assert block(cli, run_id, tail=alone) == block(cli, run_id)
    assert "    boom\n" in block(cli, run_id, tail=("boom",), first_error=None)


def call(**fields: Any) -> Call:
    given: dict[str, Any] = {
        "correlation_id": "c", "kind": "tool", "name": "lookup_vat", "detail": "", "step": None, "first_seq": 1, "last_seq": 1,
        "started_at_ms": 1_000_000, "duration_ms": None, "status": "open", **fields,
    }  # fmt: skip
    return Call(**given)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "waiting for lookup_vat, now 41s"),
        ({"detail": "lookup_vat PL 526"}, "waiting for lookup_vat PL 526, now 41s"),
        ({"detail": "classify"}, "waiting for lookup_vat: classify, now 41s"),
        (
            {"step": "enrich", "usual": Usual(30_000, 40_000, 9)},
            "waiting for lookup_vat in enrich, usually 30s, now 41s",
        ),
        ({"usual": Usual(3_000, 4_000, 9)}, "waiting for lookup_vat, usually 3.0s, now 41s  looks hung"),
    ],
)
def test_an_open_call(fields: dict[str, Any], said: str) -> None:
    out = Output(io.StringIO(), on_terminal=False, glyphs=UNICODE, environ={})
    assert "".join(span.text for span in open_call(out, call(**fields), 1_041_000)) == f"  ⧗ {said}"


def test_a_call_of_a_run_that_has_ended_was_left_open() -> None:
    out = Output(io.StringIO(), on_terminal=False, glyphs=UNICODE, environ={})
    spans = open_call(out, call(name="tool", detail="read page 0", step="extract"), None)
    assert "".join(span.text for span in spans) == "  ⧗ left open: tool read page 0 in extract"


def test_whether_it_was_seen_before() -> None:
    assert seen(SeenBefore(0, 0, None), "nightly") == "this is the first run of nightly"
    assert seen(SeenBefore(0, 23, None), "nightly") == "never in 23 earlier runs of nightly"
    assert seen(SeenBefore(1, 1, "n-1"), "nightly") == "in 1 of 1 earlier run, last in n-1"
    assert seen(SeenBefore(2, 3, None), "nightly") == "in 2 of 3 earlier runs"


@pytest.mark.parametrize(
    ("parted", "said"),
    [
        (None, "nowhere: both did the same"),
        (
            Divergence("load", 4, 5, "message"),
            "first in step load: event 4 of that run and event 5 of this run differ in message",
        ),
        (Divergence(None, None, 5, "only_right"), "first: event 5 of this run is missing in that run"),
        (
            Divergence("load", 4, None, "only_left"),
            "first in step load: event 4 of that run is missing in this run",
        ),
    ],
)
def test_where_two_runs_part(parted: Divergence | None, said: str) -> None:
    assert divergence(parted) == said


def test_without_a_history_it_says_so(cli: CommandLine) -> None:
    said = block(cli, cli.failed("alone").run_id, seen_before=None)
    assert "seen before" not in said
    assert "no completed run of alone before this one" in said
