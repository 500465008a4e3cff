"""Events as lines: seq, offset, level, step, type, message. One line each, the same wherever they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runline.cli.moments import absolute, offset
from runline.cli.output import Output, visible
from runline.cli.roles import Span, role_of
from runline.model.catalogue import NOISE
from runline.model.event import Event

_STEP_CELLS, _STEP_CELLS_NARROW = 16, 9
_TYPE_CELLS, _TYPE_CELLS_NARROW = 22, 16
_NARROW = 110


def event_line(out: Output, event: Event, *, utc: bool = False, cut: bool = False) -> None:
    """Prints one event; one without a step has a dash there.

    Off a terminal the fields are separated by tabs, the message last and whole.
    """
    moment = absolute(event.ts_ms) if utc else offset(event.elapsed_ms)
    message = event.message
    if not out.on_terminal:
        out.fields(str(event.seq), moment, event.level, event.step or "-", event.type, message)
        return
    narrow = out.width < _NARROW
    step_cells = _STEP_CELLS_NARROW if narrow else _STEP_CELLS
    type_cells = _TYPE_CELLS_NARROW if narrow else _TYPE_CELLS
    loud = event.level != "info"
    role = role_of(event.level) if loud else "plain"
    out.line(
        Span(f"{event.seq:>6}  ", "dim"),
        Span(f"{moment}  ", "dim"),
        Span(f"{out.glyphs[event.level]} ", role),
        Span(f"{_cell(out, event.step or '-', step_cells)} "),
        Span(f"{_cell(out, event.type, type_cells)} ", "dim"),
        Span(message, role if event.level == "error" else "plain"),
        cut=cut,
    )


def is_noise(event: Event) -> bool:
    """What faces fold away."""
    return event.level == "info" and event.type in NOISE


def quiet(events: Iterable[Event]) -> list[Event]:
    """The events without the noise."""
    return [event for event in events if not is_noise(event)]


def hidden(noise: Sequence[Event]) -> str:
    """How much noise was left out: `214 progress events hidden`; blank for none."""
    if not noise:
        return ""
    kind = "progress" if all(event.type.endswith("_progress") for event in noise) else "quiet"
    return f"{len(noise):,} {kind} event{'' if len(noise) == 1 else 's'} hidden"


def _cell(out: Output, text: str, cells: int) -> str:
    """The text in so many cells; the sign that it was cut is part of them."""
    text, cut = visible(text), out.glyphs.said("…")
    return text.ljust(cells) if len(text) <= cells else text[: cells - len(cut)] + cut
