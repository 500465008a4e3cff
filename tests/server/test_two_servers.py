"""Two `runline serve` on one PostgreSQL: what one takes in, a follower of the other sees."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import httpx
import pytest

from runline.testing.place import PostgresPlace
from runline.testing.postgres import PostgresServer
from runline.testing.serving import Serving, serving

_EVENTS = 200


@pytest.fixture
def place() -> Iterator[PostgresPlace]:
    with PostgresServer() as server:
        place = PostgresPlace(server)
        yield place
        place.close()


@pytest.fixture
def servers(place: PostgresPlace) -> Iterator[tuple[Serving, Serving]]:
    with serving(place.open()) as one, serving(place.open()) as two:
        yield one, two


def seqs(url: str, stream: str, begun: threading.Event, seen: list[tuple[str, int]]) -> None:
    """Reads a stream until the end event."""
    with httpx.stream("GET", f"{url}{stream}", headers={"Accept": "text/event-stream"}, timeout=60) as answer:
        begun.set()
        for line in answer.iter_lines():
            if line.startswith("data: {"):
                event = json.loads(line.removeprefix("data: "))
                if "seq" not in event:
                    continue
                seen.append((event["run_id"], event["seq"]))
                if event["type"] == "run_ended":
                    return


def test_a_follower_of_one_sees_what_the_other_takes_in(servers: tuple[Serving, Serving]) -> None:
    one, two = servers
    run_id = httpx.post(f"{one.url}/api/runs", json={"name": "shared"}).json()["run_id"]
    seen: list[tuple[str, int]] = []
    begun = threading.Event()
    following = threading.Thread(target=seqs, args=(two.url, f"/api/runs/{run_id}/events", begun, seen))
    following.start()
    assert begun.wait(30)
    for n in range(_EVENTS):
        server = servers[n % 2]
        answer = httpx.post(
            f"{server.url}/api/runs/{run_id}/events", json={"type": "log", "message": f"line {n}"}
        )
        assert answer.is_success, answer.text
    httpx.post(f"{one.url}/api/runs/{run_id}/end", json={"status": "completed"})
    following.join(60)
    assert seen == [(run_id, seq) for seq in range(1, _EVENTS + 3)]


def test_health_metrics_and_the_store_are_told(servers: tuple[Serving, Serving]) -> None:
    one, _ = servers
    told = httpx.get(f"{one.url}/api/admin/store").json()
    assert told["version"].startswith("PostgreSQL ")
    assert told["disk_free_bytes"] is None
    assert httpx.get(f"{one.url}/metrics").is_success
    assert httpx.get(f"{one.url}/api/admin/backup").status_code == 400
