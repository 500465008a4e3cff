"""Permissions: denied first, then allowed, else blocked."""

from __future__ import annotations

import time

import pytest

from runline.pipelines.permissions import Permissions, holds, like


@pytest.mark.parametrize(
    ("rule", "tool", "is_about"),
    [
        ("Read", "Read", True),
        ("Read", "Read(src/a.py)", True),
        ("Read", "Reader", False),
        ("Read(src/*)", "Read(src/a.py)", True),
        ("Read(src/*)", "Read(docs/a.md)", False),
        ("Read(src/*)", "Read", False),
        ("Write(*)", "Write", True),
        ("Write(*)", "Write(a)", True),
        ("Bash(git *)", "Bash(git status)", True),
        ("Bash(git *)", "Bash( git status )", True),
        ("Bash(git *)", "Bash(gitk)", False),
        ("Bash(git * --force)", "Bash(git push --force)", True),
        ("Bash(*rm*)", "Bash(echo (rm) x)", True),
        ("mcp__*", "mcp__github__list", True),
        ("*", "Anything(at all)", True),
        ("*(secret)", "Read(secret)", True),
        ("[ab]", "a", False),
        ("bash", "Bash", False),
    ],
)
def test_a_rule_is_about_some_uses(rule: str, tool: str, *, is_about: bool) -> None:
    assert holds(rule, tool) is is_about


def test_denied_first_then_allowed_else_blocked() -> None:
    permissions = Permissions(allowed_tools=("Read", "Bash(git *)", "Bash(ls)"), deny=("Bash(git push*)",))
    assert permissions.allows("Read(x)")
    assert permissions.allows("Bash(git status)")
    assert not permissions.allows("Bash(git push --force)")
    assert not permissions.allows("Bash(rm -rf x)")
    assert not permissions.allows("Write(x)")
    assert not Permissions().allows("Read")
    assert not Permissions(allowed_tools=("*",), deny=("*",)).allows("Read")


@pytest.mark.parametrize(
    ("text", "pattern", "fits"),
    [
        ("abc", "a*c", True),
        ("ac", "a*c", True),
        ("a", "a*a", False),
        ("abcabc", "*b*c", True),
        ("aXbYc", "a*b*c", True),
        ("aXYc", "a*b*c", False),
        ("", "*", True),
        ("a\nb", "a*b", True),
        ("aab", "a*ab*b", False),
    ],
)
def test_patterns(text: str, pattern: str, *, fits: bool) -> None:
    assert like(text, pattern) is fits


def test_a_hostile_pattern_takes_no_time() -> None:
    began_s = time.process_time()
    assert not like("a" * 20_000, "a*" * 50 + "b")
    assert not like("a" * 20_000, "*a" * 50 + "*b*")
    assert time.process_time() - began_s < 5
