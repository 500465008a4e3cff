from __future__ import annotations

import json

import msgspec

from runline.export.jsonl import jsonl_chunks
from runline.model.event import Event
from runline.model.wire.notes import note_list
from runline.model.wire.runs import run_detail
from tests.export.shelf import Shelf


def test_one_line_for_the_run_then_one_for_each_event(shelf: Shelf) -> None:
    text = b"".join(jsonl_chunks(shelf.run, iter(shelf.events), notes=shelf.notes))
    head, *lines = text.removesuffix(b"\n").split(b"\n")
    assert json.loads(head) == {
        "runline": 1,
        "run": json.loads(msgspec.json.encode(run_detail(shelf.run))),
        "notes": json.loads(msgspec.json.encode(note_list(shelf.notes)))["notes"],
    }
    assert head.startswith(b'{"runline":1,')
    assert [Event.from_json(line) for line in lines] == shelf.events
