"""What a step's program finds in its environment.

Everything the worker has, then the adapter's and the step's own variables, then what the run says of itself. The
inputs of a run around this one are taken out: `$RUNLINE_INPUT_X` is this run's or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from runline.pipelines.definition import Adapter, Persona, Step
from runline.pipelines.inputs import INPUT_FILE, Variables

ARTIFACTS_FOLDER = "RUNLINE_ARTIFACTS_IN"
"""Names the folder with what earlier steps left for this one, each under the name it was asked for by."""
_OF_A_RUN = (
    "RUNLINE_INPUT",
    "RUNLINE_MATRIX",
    INPUT_FILE,
    ARTIFACTS_FOLDER,
    "RUNLINE_PERSONA",
    "RUNLINE_MODEL",
)


def step_environment(
    around: Mapping[str, str],
    *,
    step: Step,
    given: Variables,
    input_file: str,
    artifacts_folder: str | None = None,
    adapter: Adapter | None = None,
    persona: Persona | None = None,
    system_prompt_file: str | None = None,
) -> dict[str, str]:
    """`around` is the worker's own environment."""
    found = {name: value for name, value in around.items() if not name.startswith(_OF_A_RUN)}
    if adapter is not None:
        found |= adapter.env
    found |= step.env
    found |= given.values
    found[INPUT_FILE] = input_file
    if artifacts_folder is not None:
        found[ARTIFACTS_FOLDER] = artifacts_folder
    if persona is not None:
        found |= _persona(persona, step.model or persona.model, system_prompt_file)
    return found


def _persona(persona: Persona, model: str | None, system_prompt_file: str | None) -> dict[str, str]:
    """What an adapter needs of the persona; lists as JSON."""
    told = {
        "RUNLINE_PERSONA": persona.name,
        "RUNLINE_PERSONA_ALLOWED_TOOLS": _list(persona.permissions.allowed_tools),
        "RUNLINE_PERSONA_DENIED_TOOLS": _list(persona.permissions.deny),
        "RUNLINE_PERSONA_TEMPERATURE": None if persona.temperature is None else f"{persona.temperature:g}",
        "RUNLINE_PERSONA_SYSTEM_PROMPT_FILE": system_prompt_file,
        "RUNLINE_MODEL": model,
    }
    return {name: value for name, value in told.items() if value is not None}


def _list(values: tuple[str, ...]) -> str:
    return msgspec.json.encode(values).decode()
