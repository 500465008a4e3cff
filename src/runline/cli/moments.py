"""Times and estimates in words: when a run started, what is left of it, and where that figure comes from."""

from __future__ import annotations

from runline.model.clock import from_ms
from runline.model.durations import format_ms, relative
from runline.model.run import Run

NO_NEWS_MS = 120_000
"""A running run or step that has been silent this long says so."""


def absolute(ms: int) -> str:
    """`2026-11-20 14:03:12 UTC`."""
    return f"{from_ms(ms):%Y-%m-%d %H:%M:%S} UTC"


def when(ms: int, *, now_ms: int, utc: bool) -> str:
    """How long ago, or with `utc` the moment itself."""
    return absolute(ms) if utc else relative(now_ms - ms)


def offset(elapsed_ms: int) -> str:
    """The time since the run's start: `+11:40.117`, `+1:02:03.004`."""
    minutes, rest = divmod(elapsed_ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    lead = f"{hours}:{minutes:02d}" if hours else f"{minutes:02d}"
    return f"+{lead}:{rest // 1000:02d}.{rest % 1000:03d}"


def running_ms(run: Run, now_ms: int) -> int:
    """How long the run took, or has taken so far; a run whose writer is gone until its last event."""
    if run.duration_ms is not None:
        return run.duration_ms
    until_ms = now_ms if run.is_active else run.updated_at_ms
    return max(0, until_ms - run.started_at_ms)


def estimate(run: Run, now_ms: int) -> str:
    """What is left of a running run and why: one of the four sentences of every face; blank when not running."""
    if run.status != "running":
        return ""
    said = _left(run, now_ms)
    silent_ms = now_ms - max(run.updated_at_ms, run.started_at_ms)
    if silent_ms >= NO_NEWS_MS:
        said += f" · no news for {rounded(silent_ms)}"
    return said


def _left(run: Run, now_ms: int) -> str:
    if run.eta is None:
        return "no estimate yet"
    since_ms = max(0, now_ms - run.updated_at_ms)
    elapsed_ms = max(0, now_ms - run.started_at_ms)
    left_ms = run.eta.ms - since_ms
    if run.eta.basis == "history" and run.usual is not None:
        usual = run.usual
        if elapsed_ms > usual.p90_ms:
            return f"slower than usual by {rounded(elapsed_ms - usual.p90_ms)}"
        if left_ms <= 0:  # past the median: what is left at most
            left_ms = usual.p90_ms - elapsed_ms
        runs = "1 run" if usual.n == 1 else f"{usual.n} runs"
        return f"~{rounded(left_ms)} left (P50–P90 {span(usual.p50_ms, usual.p90_ms)} of {runs})"
    if left_ms <= 0:
        return "due any moment"
    reason = "as the run says" if run.eta.basis == "given" else f"from {run.progress} % so far"
    return f"~{rounded(left_ms)} left ({reason})"


def short_left(run: Run, now_ms: int) -> str:
    """The estimate in a few characters, for a column: `~4m left`, `slower by 2m`, `no news 3m`."""
    silent_ms = now_ms - max(run.updated_at_ms, run.started_at_ms)
    if silent_ms >= NO_NEWS_MS:
        return f"no news {rounded(silent_ms)}"
    return _left(run, now_ms).split(" (")[0].replace("slower than usual by", "slower by")


def rounded(ms: int) -> str:
    """A duration that is an estimate: one unit is enough below the hour."""
    ms = max(0, ms)
    if ms < 60_000:
        return f"{ms // 1000}s"
    if ms < 3_600_000:
        return f"{(ms + 30_000) // 60_000}m"
    return format_ms(ms)


def span(low_ms: int, high_ms: int) -> str:
    """A range, its unit said once where it can be: `3–6m`, `40s–2m`."""
    low, high = rounded(low_ms), rounded(high_ms)
    if low == high:
        return high
    if low[-1] == high[-1] and " " not in low + high:
        low = low[:-1]
    return f"{low}–{high}"
