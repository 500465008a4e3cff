"""How the benchmarks judge: paired ratios, percentiles, rows with a goal and a verdict."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import NamedTuple


class Row(NamedTuple):
    """One line of the table. `met` None: shown for information, without a goal."""

    id: str
    what: str
    value: str
    goal: str
    met: bool | None
    note: str = ""


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank; `share` in 0–1."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def paired(
    first: Callable[[int], float], second: Callable[[int], float], *, times: int
) -> tuple[float, float, float]:
    """Runs both in turn, A B B A …; medians of both and the median of the ratios first ÷ second, pair by pair."""
    a, b = [], []
    for n in range(times):
        if n % 2:
            b.append(second(n))
            a.append(first(n))
        else:
            a.append(first(n))
            b.append(second(n))
    ratios = [x / y for x, y in zip(a, b, strict=True)]
    return statistics.median(a), statistics.median(b), statistics.median(ratios)


def at_least(id_: str, what: str, ratio: float, goal: float, note: str = "") -> Row:
    return Row(id_, what, f"{ratio:.2f} ×", f"≥ {goal:g} ×", ratio >= goal, note)


def at_most(id_: str, what: str, value: float, goal: float, unit: str, note: str = "") -> Row:
    return Row(id_, what, f"{value:.4g} {unit}", f"≤ {goal:g} {unit}", value <= goal, note)


def table(rows: Sequence[Row]) -> str:
    """The rows as aligned text."""
    cells = [("#", "what", "measured", "goal", "verdict", "note")]
    for row in rows:
        verdict = "–" if row.met is None else "met" if row.met else "MISSED"
        cells.append((row.id, row.what, row.value, row.goal, verdict, row.note))
    widths = [max(len(cell[n]) for cell in cells) for n in range(5)]
    return "\n".join(
        "  ".join([*(cell[n].ljust(widths[n]) for n in range(5)), cell[5]]).rstrip() for cell in cells
    )
