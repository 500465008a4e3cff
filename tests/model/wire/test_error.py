from __future__ import annotations

import msgspec

from runline.model.errors import Invalid, NotFound
from runline.model.wire.error import error_view


def test_a_sentence_and_a_code() -> None:
    assert msgspec.to_builtins(error_view(NotFound("There is no run 'x'."))) == {
        "error": "There is no run 'x'.",
        "code": "not_found",
    }


def test_a_refused_field_is_named() -> None:
    error = Invalid("limit is 1 to 100.", code="bad_limit", fields={"limit": "out of range"})
    assert msgspec.to_builtins(error_view(error)) == {
        "error": "limit is 1 to 100.",
        "code": "bad_limit",
        "fields": {"limit": "out of range"},
    }


def test_the_timeline_repeats_the_sentence() -> None:
    assert error_view(Invalid("No."), detail=True).detail == "No."
