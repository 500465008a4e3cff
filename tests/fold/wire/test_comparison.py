from __future__ import annotations

from hypothesis import given

from runline.fold.compare import Comparison
from runline.fold.wire.comparison import comparison_of, comparison_view
from tests.model.wire.structs import any_of, through_json


@given(any_of(Comparison))
def test_it_leads_back_to_the_very_comparison(found: Comparison) -> None:
    assert comparison_of(through_json(comparison_view(found))) == found
