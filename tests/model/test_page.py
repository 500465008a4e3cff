from __future__ import annotations

from runline.model.page import Page


def test_the_last_page_has_no_next() -> None:
    page = Page(["a", "b"])
    assert (page.items, page.next_cursor, page.has_more) == (["a", "b"], None, False)
