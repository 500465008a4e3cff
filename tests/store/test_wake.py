"""Waking: at once in this process, by a glance at the database for others, and never relied on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from runline.model.errors import Unavailable
from runline.store.wake import Wake

PATIENCE_S = 20.0


class Commits:
    """An engine as far as waking goes: a token that changes when somebody else commits."""

    def __init__(self) -> None:
        self.token = 0
        self.asked = 0
        self.away = False

    def changed(self) -> int:
        self.asked += 1
        if self.away:
            raise Unavailable("away")
        return self.token


def wake_over(commits: Commits) -> Wake:
    return Wake(commits)  # type: ignore[arg-type]


def until(reached: Callable[[], bool]) -> None:
    ends_s = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < ends_s
        time.sleep(0.001)


def watchers() -> int:
    return sum(thread.name == "runline-wake" for thread in threading.enumerate())


def test_a_commit_here_wakes_who_waits() -> None:
    wake = wake_over(Commits())
    seen = wake.count
    thread = threading.Timer(0, wake.notify)
    thread.start()
    assert wake.wait(seen, PATIENCE_S) == seen + 1
    assert wake.wait(seen, PATIENCE_S) == seen + 1  # what was missed is not waited for
    assert wake.wait(seen + 1, 0) == seen + 1
    thread.join()


def test_commits_of_others_are_looked_for_only_while_somebody_follows() -> None:
    commits = Commits()
    wake = wake_over(commits)
    before = watchers()
    with wake.following(), wake.following():
        assert wake.followers == 2
        until(lambda: commits.asked > 1)
        seen = wake.count
        commits.token = 1
        assert wake.wait(seen, PATIENCE_S) == seen + 1
    assert wake.followers == 0
    until(lambda: watchers() == before)
    with wake.following():
        asked = commits.asked
        until(lambda: commits.asked > asked)


def test_an_engine_that_cannot_tell_makes_followers_look() -> None:
    commits = Commits()
    commits.away = True
    wake = wake_over(commits)
    with wake.following():
        seen = wake.wait(wake.count, PATIENCE_S)
        assert wake.wait(seen, PATIENCE_S) == seen + 1


def test_closing_wakes_everybody_and_ends_the_watch() -> None:
    wake = wake_over(Commits())
    before = watchers()
    with wake.following():
        until(lambda: wake.count == 1)
        wake.close()
        assert wake.wait(1, PATIENCE_S) == 1
        until(lambda: watchers() <= before)  # those of others may end meanwhile


def test_a_forked_child_follows_nothing_yet() -> None:
    commits = Commits()
    wake = wake_over(commits)
    with wake.following():
        until(lambda: wake.count == 1)
        wake.fork()
        assert wake.followers == 0
        with wake.following():
            assert wake.followers == 1
            commits.token = 1
            wake.wait(wake.count, PATIENCE_S)
        wake.close()
