"""The browser's own EventSource follows a run: everything once, in order, and it stops at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runline.model.catalogue import STATES
from runline.store import open_local
from runline.testing.serving import serving
from tests.browser import browser

_FOLLOW = """
([url, states]) => {
    window.seen = []; window.ended = false;
    const source = new EventSource(url);
    for (const state of states)
        source.addEventListener(state, event => {
            const told = JSON.parse(event.data);
            window.seen.push([told.seq, Number(event.lastEventId), told.id, told.state, event.type]);
        });
    source.onerror = () => { window.ended ||= source.readyState === EventSource.CLOSED; };
}
"""


def test_it_sees_everything_once_and_stops_at_the_end(tmp_path: Path) -> None:
    with open_local(str(tmp_path / "x.db")) as store, serving(store) as server, browser() as chromium:
        run = store.create_run("watched").run_id
        store.append(run, [{"type": "log", "message": f"before {n}"} for n in range(700)])
        # The policy of our pages would keep a script out; this one is the test's.
        page = chromium.new_context(bypass_csp=True).new_page()
        page.goto(f"{server.url}/docs")
        page.evaluate(_FOLLOW, [f"{server.url}/api/runs/{run}/events", sorted(STATES)])
        page.wait_for_function("window.seen.length >= 701")
        for n in range(50):
            store.append(run, [{"type": "tool_call", "message": f"live {n}\n\nid: 9"}] * 10)
        store.end_run(run)
        # The server answers the reconnection with 204, which tells an EventSource to stop.
        page.wait_for_function("window.ended")
        seen: list[list[Any]] = page.evaluate("window.seen")
    assert [event[0] for event in seen] == list(range(1, 1203))
    assert all(last_id == id_ and state == name for _, last_id, id_, state, name in seen)
    assert seen[-1][3] == "completed"
