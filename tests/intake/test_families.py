from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from runline.intake.families import BLOCKS, FAMILIES, Family
from runline.intake.keys import PHRASES
from runline.intake.linear import linear

DOC = (Path(__file__).parent.parent.parent / "docs" / "redaction.md").read_text(encoding="utf-8")
NAMES = [family.name for family in FAMILIES]


def test_there_are_enough_and_each_has_its_own_name() -> None:
    assert len(FAMILIES) >= 55
    assert len(set(NAMES)) == len(NAMES)
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in NAMES)


@pytest.mark.parametrize("family", FAMILIES, ids=NAMES)
def test_the_example_is_found_whole(family: Family) -> None:
    found = linear(family.pattern).search(family.example.encode())
    assert found is not None
    assert found.group(1).decode() == family.secret


@pytest.mark.parametrize("family", FAMILIES, ids=NAMES)
def test_the_screen_sees_the_example_in_its_json_form(family: Family) -> None:
    screen = linear(family.screening)
    for text in (
        family.example,
        f"line\n{family.example}",
        f'\x1b"{family.example}"',
        f"\t{family.example}\t",
    ):
        assert screen.search(text.encode()) is not None
        assert screen.search(msgspec.json.encode(text)) is not None


@pytest.mark.parametrize("family", FAMILIES, ids=NAMES)
def test_nothing_is_asserted_after_the_secret(family: Family) -> None:
    assert not family.pattern.rstrip(b")").endswith((rb"\b", b"$", rb"\z"))


def test_blocks_and_headers_come_first() -> None:
    assert NAMES[:BLOCKS] == ["private_key", "authorization_header", "cookie_header"]


def _table(heading: str) -> str:
    return DOC.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]


def test_the_documentation_lists_every_family() -> None:
    assert re.findall(r"^\| `([a-z0-9_]+)` \|", _table("By looks"), re.MULTILINE) == NAMES


def test_the_documentation_lists_every_key_phrase() -> None:
    assert re.findall(r"`([a-z ]+)`", _table("By key").split("\n\n")[-1]) == list(PHRASES)


def test_the_repository_holds_no_example_in_one_piece() -> None:
    source = Path(__file__).parent.parent.parent / "src" / "runline"
    for file in ("intake/families.py", "testing/planted.py"):
        text = (source / file).read_bytes()
        assert not [family.name for family in FAMILIES[9:] if linear(family.pattern).search(text)]
