from __future__ import annotations

import pytest

from runline.cli.sizes import format_size, parse_size
from runline.model.errors import Invalid


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (None, ""),
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (1_400_000, "1.4 MB"),
        (2 * 10**9, "2.0 GB"),
        (3 * 10**15, "3000.0 TB"),
    ],
)
def test_sizes_as_people_read_them(size: int | None, said: str) -> None:
    assert format_size(size) == said


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("512", 512),
        ("512B", 512),
        ("500MB", 500_000_000),
        ("1.5 GB", 1_500_000_000),
        ("1GiB", 2**30),
        ("2k", 2000),
        ("7iB", 7),
    ],
)
def test_sizes_as_people_write_them(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "-1", "many", "1PB", "1e9", "nan", "9" * 40])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="500MB"):
        parse_size(text)
