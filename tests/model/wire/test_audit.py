from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from runline.model.audit import AuditEntry
from runline.model.page import Page
from runline.model.wire.audit import audit_list, audit_of, audit_view
from tests.model.wire.structs import FIGURES, INSTANTS, through_json

ENTRIES = st.builds(
    AuditEntry,
    id=FIGURES,
    at_ms=INSTANTS,
    who=st.text(),
    tenant=st.none() | st.text(),
    action=st.text(),
    target=st.none() | st.text(),
    detail=st.dictionaries(st.text(), st.none() | st.booleans() | FIGURES | st.text() | st.lists(st.text())),
)
ONE = AuditEntry(id=1, at_ms=0, who="me", tenant=None, action="pin", target="r", detail={"pinned": True})


def test_an_entry() -> None:
    assert msgspec.to_builtins(audit_view(ONE)) == {
        "id": 1,
        "at": "1970-01-01T00:00:00.000Z",
        "who": "me",
        "tenant": None,
        "action": "pin",
        "target": "r",
        "detail": {"pinned": True},
    }


@given(ENTRIES)
def test_it_leads_back_to_the_very_entry(one: AuditEntry) -> None:
    assert audit_of(through_json(audit_view(one))) == one


def test_a_page() -> None:
    told = through_json(audit_list(Page([ONE], "7", has_more=True)))
    assert ([entry.id for entry in told.entries], told.next_cursor, told.has_more) == ([1], "7", True)
