"""How a command's arguments are named in its help: by what a person types, not by the type they become."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def tell_plainly(params: Iterable[Any]) -> None:
    """Names arguments in usage as `RUN`, `[RUN]` or `[FILTER...]`, and in the list below it without a type."""
    for param in params:
        if param.param_type_name == "argument":
            shown = param.metavar if param.required else f"[{param.metavar}]"
            param.get_usage_pieces = lambda _, shown=shown: [shown]
            param.display_type_rich = lambda **_: ""
