from __future__ import annotations

import msgspec
from hypothesis import given

from runline.fold.failure import Failure
from runline.fold.wire.failure import failure_of, failure_view
from tests.model.wire.structs import any_of, through_json

PROMISED = """first_error error_chain step blocked open_calls fingerprint seen_before last_good_run_id
first_divergence"""


def test_without_an_error_every_key_is_there() -> None:
    nothing = Failure(
        run_id="r",
        first_error=None,
        error_chain=(),
        step=None,
        blocked=(),
        open_calls=(),
        fingerprint=None,
        seen_before=None,
        last_good_run_id=None,
        first_divergence=None,
    )
    told = msgspec.json.decode(msgspec.json.encode(failure_view(nothing)))
    assert set(told) == {"run_id", *PROMISED.split()}
    assert (told["first_error"], told["error_chain"]) == (None, [])


@given(any_of(Failure))
def test_it_leads_back_to_the_very_failure(failure: Failure) -> None:
    assert failure_of(through_json(failure_view(failure))) == failure
