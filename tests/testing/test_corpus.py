from __future__ import annotations

import msgspec

from runline.testing.corpus import BAD_EVENTS, BAD_JSON, BAD_TEXTS, CSV_LEADS, PATHS, TERMINAL, truncated


def test_documents_are_broken_or_odd() -> None:
    broken = 0
    for document in BAD_JSON.values():
        try:
            broken += type(msgspec.json.decode(document)) is not dict
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
            broken += 1
    assert broken >= 10
    assert broken < len(BAD_JSON)


def test_a_document_is_cut_after_each_byte() -> None:
    assert list(truncated(b"abc")) == [b"", b"a", b"ab"]


def test_families_are_there() -> None:
    assert len(BAD_EVENTS) > 20
    assert len(BAD_TEXTS) > 20
    assert "\n\nid: 9" in BAD_TEXTS["sse injection"]
    assert ".." in PATHS
    assert "=" in CSV_LEADS
    assert all(
        "\x1b" in text or "\x9b" in text or text.startswith("[") or "\x07" in text
        for text in TERMINAL.values()
    )
