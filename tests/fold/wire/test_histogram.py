from __future__ import annotations

import msgspec
from hypothesis import given

from runline.fold.slots import Histogram
from runline.fold.wire.histogram import histogram_of, histogram_view
from tests.model.wire.structs import any_of, through_json


def test_the_promised_keys() -> None:
    told = msgspec.json.decode(
        msgspec.json.encode(histogram_view(Histogram(0, 1000, (3, 0), (1, 0), (0, 0))))
    )
    assert told == {
        "start": "1970-01-01T00:00:00.000Z",
        "start_ms": 0,
        "slot_ms": 1000,
        "events": [3, 0],
        "warnings": [1, 0],
        "errors": [0, 0],
    }


@given(any_of(Histogram))
def test_it_leads_back_to_the_very_histogram(histogram: Histogram) -> None:
    assert histogram_of(through_json(histogram_view(histogram))) == histogram
