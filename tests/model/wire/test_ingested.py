"""The answer of an ingest as JSON."""

from __future__ import annotations

import msgspec

from runline.model.wire.ingested import GivenEvent, Ingested


def test_the_answer_has_every_key() -> None:
    answer = Ingested(run_id="r", seqs=(2, 3), ids=(7, None, 8), not_stored=1)
    assert msgspec.json.encode(answer) == b'{"run_id":"r","seqs":[2,3],"ids":[7,null,8],"not_stored":1}'
    nothing = Ingested(run_id="r", seqs=None, ids=(), not_stored=0)
    assert msgspec.json.encode(nothing) == b'{"run_id":"r","seqs":null,"ids":[],"not_stored":0}'


def test_nothing_of_an_event_is_required() -> None:
    assert msgspec.json.decode(b'{"colour":"red"}', type=GivenEvent) == GivenEvent()
