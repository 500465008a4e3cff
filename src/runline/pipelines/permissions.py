"""Which tools a persona may use: what is denied first, then what is allowed, and everything else is blocked.

A rule is a tool's name, or a name with a pattern for what it is used on: `Read`, `Bash(git *)`, `mcp__*`, `*`.
In both parts `*` stands for any text. A rule without parentheses, or with `(*)`, holds for every use.
"""

from __future__ import annotations

from msgspec import Struct


class Permissions(Struct, frozen=True, omit_defaults=True):
    """Rules as the manifest has them."""

    allowed_tools: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()

    def allows(self, tool: str) -> bool:
        """Whether `Read`, or `Bash(git status)` with what it is used on, may be used."""
        if any(holds(rule, tool) for rule in self.deny):
            return False
        return any(holds(rule, tool) for rule in self.allowed_tools)


def holds(rule: str, tool: str) -> bool:
    """Whether the rule is about that use of that tool."""
    rule_name, rule_use = _split(rule)
    name, use = _split(tool)
    if not like(name, rule_name):
        return False
    if rule_use is None or rule_use == "*":
        return True
    return use is not None and like(use, rule_use)


def like(text: str, pattern: str) -> bool:
    """Whether the whole text fits the pattern, in time linear in the text for each `*`."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    last = rest.pop()
    if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
        return False
    place, end = len(first), len(text) - len(last)
    for part in rest:
        found = text.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True


def _split(text: str) -> tuple[str, str | None]:
    name, opened, use = text.strip().partition("(")
    return (name.strip(), use.removesuffix(")").strip()) if opened else (name, None)
