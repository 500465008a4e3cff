"""Events as lines: seq, offset, level, step, type, message. One line each, the same wherever they are shown."""

from __future__ import annotations

from collections.abc import Iterable

from runline.cli.moments import absolute, offset
from runline.cli.output import Output, Span, role_of
from runline.model.catalogue import NOISE
from runline.model.event import Event

_STEP_CELLS = 16
_TYPE_CELLS = 22


def event_line(out: Output, event: Event, *, utc: bool = False, cut: bool = False) -> None:
    """Prints one event. Off a terminal the fields are separated by tabs, the message last and whole."""
    moment = absolute(event.ts_ms) if utc else offset(event.elapsed_ms)
    message = event.message
    if not out.on_terminal:
        out.fields(str(event.seq), moment, event.level, event.step or "-", event.type, message)
        return
    loud = event.level != "info"
    role = role_of(event.level) if loud else "plain"
    out.line(
        Span(f"{event.seq:>6}  ", "dim"),
        Span(f"{moment}  ", "dim"),
        Span(f"{out.glyphs[event.level]} ", role),
        Span(f"{_cell(event.step or '', _STEP_CELLS)} "),
        Span(f"{_cell(event.type, _TYPE_CELLS)} ", "dim"),
        Span(message, role if event.level == "error" else "plain"),
        cut=cut,
    )


def is_noise(event: Event) -> bool:
    """What faces fold away."""
    return event.level == "info" and event.type in NOISE


def folded_lines(out: Output, events: Iterable[Event], *, utc: bool = False) -> None:
    """The events with runs of noise folded into one line that says how many there were."""
    hidden = 0
    for event in events:
        if is_noise(event):
            hidden += 1
            continue
        _say_hidden(out, hidden)
        hidden = 0
        event_line(out, event, utc=utc, cut=True)
    _say_hidden(out, hidden)


def _say_hidden(out: Output, hidden: int) -> None:
    if hidden:
        noun = "heartbeat" if hidden == 1 else "heartbeats"
        out.line(Span(f"        ┄┄ {hidden} {noun} hidden ┄┄", "dim"))


def _cell(text: str, cells: int) -> str:
    return text.ljust(cells) if len(text) <= cells else text[: cells - 1] + "…"
