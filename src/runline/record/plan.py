"""A plan as the start event carries it: the steps a run means to take, fixed before the first one.

Callers may write it short: `["extract", "load"]`, or with details per step, or in full.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from runline.intake.safe import safe
from runline.model.errors import Invalid

_ALIASES: dict[str, str] = {"name": "id", "after": "dependencies"}
_encode = msgspec.json.Encoder(order="sorted").encode


def read_plan(given: Any) -> dict[str, Any] | None:
    """`{steps: [{id, persona?, dependencies?, max_attempts?, optional?}], sha256}`; None for no plan.

    Takes that form, or a list of step names or of such objects (`name` and `after` are read too). Raises
    Invalid for anything else and for a step without a name.
    """
    if given is None:
        return None
    plan: dict[str, Any] = dict(given) if isinstance(given, Mapping) else {"steps": given}
    steps = plan.get("steps")
    if isinstance(steps, (str, bytes)) or not isinstance(steps, Sequence):
        raise _refused("a plan is a list of steps, or an object with `steps`")
    plan["steps"] = [_step(step) for step in steps]
    form: dict[str, Any] = safe(plan)
    if not isinstance(form.get("sha256"), str):
        form["sha256"] = hashlib.sha256(_encode(form["steps"])).hexdigest()
    return form


def _step(given: Any) -> dict[str, Any]:
    if isinstance(given, str):
        given = {"id": given}
    if not isinstance(given, Mapping):
        raise _refused("a step is a name or an object with `id`")
    step: dict[str, Any] = {_ALIASES.get(str(key), str(key)): value for key, value in given.items()}
    if not isinstance(step.get("id"), str) or not step["id"].strip():
        raise _refused("every step needs an `id`")
    if isinstance(step.get("dependencies"), str):
        step["dependencies"] = [step["dependencies"]]
    return step


def _refused(reason: str) -> Invalid:
    return Invalid(f"The plan cannot be read: {reason}.", code="bad_plan", fields={"plan": reason})
