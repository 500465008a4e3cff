from __future__ import annotations

import msgspec
import pytest

from runline.model.wire.quantity import Instant, about, duration, iso, ms_of


def test_the_unknown_is_null() -> None:
    assert (iso(None), ms_of(None), duration(None)) == (None, None, None)


def test_the_known() -> None:
    assert (iso(0), duration(0)) == ("1970-01-01T00:00:00.000Z", "0ms")
    assert ms_of("2026-11-20T12:10:00.123Z") == 1_795_176_600_123


def test_what_is_no_instant() -> None:
    with pytest.raises(ValueError, match="yesterday"):
        ms_of("yesterday")


def test_what_documents_are_made_of() -> None:
    assert (about("Words.").examples, about("Words.", 1, 2).examples) == (None, [1, 2])
    assert msgspec.json.schema(Instant)["format"] == "date-time"
