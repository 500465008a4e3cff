"""The session cookie."""

from __future__ import annotations

from runline.server.cookie import session_cookie


def test_no_script_reads_it_and_no_other_site_sends_it() -> None:
    header = session_cookie("rl_x").to_header(header="")
    assert header.startswith("runline_session=rl_x")
    assert "HttpOnly" in header
    assert "SameSite=strict" in header
    assert "Path=/" in header
    assert "Secure" not in header
    assert "Secure" in session_cookie("rl_x", secure=True).to_header(header="")


def test_it_is_taken_away_by_an_empty_one() -> None:
    header = session_cookie(None).to_header(header="")
    assert "runline_session=" in header
    assert "Max-Age=0" in header
