"""Write `docs/events.md` from the catalogue."""

from __future__ import annotations

from pathlib import Path

from runline.model.catalogue import CATALOGUE, NOISE, EventType

TARGET = Path(__file__).parent.parent / "docs" / "events.md"

INTRO = """# Event types

Generated from `src/runline/model/event_type.py` by `scripts/generate_events_doc.py`; edit the table there.

Types are open: an event of any other type is stored, shown and searched like these and changes no state.
No key is required; a missing one never refuses an event. Names are append-only, the keys listed are frozen,
new keys are optional.

- **Level** is what an event has when its writer names none.
- **Fold** is the part it plays in the run's state; blank: it is only counted.
- **Call** is its part in a pair of request and response, found by `correlation_id` (without one, by kind and step). A response with `ok: false` closes its call as failed, and so does an `error` event that carries the call's `correlation_id`.
- **State** is the dashboard's word for it; `data.state` wins when it is one of the ten. An end that is `failed`, `cancelled` or `interrupted` has the state `failed`.
- **Message** is the text of an event that comes without one: `{key}` is filled from `data`, a `[part]` falls away when its key is missing, and when a key outside brackets is missing the message is the type.
"""


def render() -> str:
    """The whole document."""
    domains: dict[str, list[EventType]] = {}
    for event_type in CATALOGUE.values():
        domains.setdefault(event_type.domain, []).append(event_type)
    parts = [INTRO]
    for domain, rows in domains.items():
        parts.append(f"\n## {domain}\n\n| type | level | fold | call | state | keys | message |")
        parts.append("|---|---|---|---|---|---|---|")
        parts.extend(_row(row) for row in rows)
    noise = " ".join(f"`{name}`" for name in sorted(NOISE))
    parts.append(f"\n## Noise\n\nFaces fold these away while their level is info: {noise}.\n")
    return "\n".join(parts)


def _row(row: EventType) -> str:
    call = "" if row.pair is None else f"{row.pair.kind} {row.pair.role}"
    keys = " ".join(f"`{key}`" for key in row.keys)
    message = f"`{row.message}`" if row.message else ""
    return f"| `{row.name}` | {row.level} | {row.role or ''} | {call} | {row.state} | {keys} | {message} |"


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
