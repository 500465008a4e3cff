from __future__ import annotations

import msgspec
from hypothesis import given

from runline.fold.state import ErrorFact
from runline.fold.wire.errors import error_event, error_of
from tests.model.wire.structs import any_of, through_json


def test_an_error_tells_when_as_text_and_as_a_figure() -> None:
    fact = ErrorFact(7, 0, "load", "error", "Timeout", "after 31 s", "0123456789abcdef")
    assert msgspec.to_builtins(error_event(fact)) == {
        "seq": 7,
        "ts": "1970-01-01T00:00:00.000Z",
        "ts_ms": 0,
        "step": "load",
        "type": "error",
        "name": "Timeout",
        "message": "after 31 s",
        "fingerprint": "0123456789abcdef",
    }


@given(any_of(ErrorFact))
def test_it_leads_back_to_the_very_error(fact: ErrorFact) -> None:
    assert error_of(through_json(error_event(fact))) == fact
