r"""Shell text of a manifest, with `{{ input.x }}` as a reference to the environment variable that carries it.

The value never becomes part of the text, so no shell reads `$(…)`, quotes or newlines in it. To arrive in one
piece the reference must be quoted as its place demands: `"${RUNLINE_INPUT_X-}"` between words, without the
quotes inside double quotes and here-documents. Where a shell would not expand it (single quotes, a quoted
here-document) or would evaluate it (arithmetic), the definition is refused, so that nobody is surprised when it
runs. Reading quotes wrongly in some odd text could cost the value its spaces, never make it a command.
"""

from __future__ import annotations

import re

from msgspec import Struct

from runline.pipelines.references import Reference, references

_HERE = re.compile(r"<<(-?)[ \t]*(\\?[A-Za-z_][A-Za-z0-9_]*|'[^'\n]*'|\"[^\"\n]*\")")


class BadReference(Exception):
    """A reference where a shell would not read it, or would evaluate it."""

    def __init__(self, reference: Reference, place: str) -> None:
        super().__init__(place)
        self.reference = reference
        self.place = place


class _Here(Struct):
    """A here-document whose body begins on the next line."""

    end: str
    indented: bool
    quoted: bool


def shell_text(source: str) -> str:
    """The text for `sh -c`. Raises BadReference."""
    return _Reader(source).read()


class _Reader:
    """Walks the text once and knows, at each place, how it is quoted."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.place = 0
        self.written: list[str] = []
        self.contexts = ["word"]
        self.waiting: list[_Here] = []
        self.at = {reference.start: reference for reference in references(source)}

    def read(self) -> str:
        while self.place < len(self.source):
            reference = self.at.get(self.place)
            if reference is not None:
                self.written.append(self._reference(reference))
                self.place = reference.end
            elif self.contexts[-1] == "single":
                self._single()
            else:
                self._unquoted()
        return "".join(self.written)

    def _reference(self, reference: Reference) -> str:
        context = self.contexts[-1]
        if context == "single":
            raise BadReference(reference, "single quotes, where a shell would not read it")
        if "arithmetic" in self.contexts:
            raise BadReference(reference, "arithmetic, where a shell would evaluate it")
        plain = f"${{{reference.variable}-}}"
        return plain if context == "double" else f'"{plain}"'

    def _take(self, count: int) -> None:
        self.written.append(self.source[self.place : self.place + count])
        self.place += count

    def _single(self) -> None:
        if self.source[self.place] == "'":
            self.contexts.pop()
        self._take(1)

    def _unquoted(self) -> None:
        rest, context = self.source[self.place : self.place + 3], self.contexts[-1]
        if rest[0] == "\\":
            self._take(2)
        elif rest == "$((":
            self._enter("arithmetic", 3)
        elif rest[:2] == "$(":
            self._enter("word", 2)
        elif rest[0] == "`":
            self._backtick()
        elif rest[0] == '"':
            if context == "double":
                self._leave(1)
            else:
                self._enter("double", 1)
        elif context == "double":
            self._take(1)
        else:
            self._word(rest, context)

    def _word(self, rest: str, context: str) -> None:
        before = self.source[self.place - 1 : self.place]
        here = _HERE.match(self.source, self.place) if rest[:2] == "<<" else None
        if rest[0] == "'":
            self._enter("single", 1)
        elif rest[0] == "(":
            self._enter(context, 1)
        elif context == "arithmetic" and rest[:2] == "))":
            self._leave(2)
        elif rest[0] == ")":
            self._leave(1)
        elif rest[0] == "#" and before in ("", " ", "\t", "\n", ";"):
            self._comment()
        elif here is not None:
            word = here[2]
            self.waiting.append(_Here(word.strip("\\'\""), bool(here[1]), word[0] in "\\'\""))
            self._take(len(here[0]))
        elif rest[0] == "\n":
            self._take(1)
            self._bodies()
        else:
            self._take(1)

    def _enter(self, context: str, count: int) -> None:
        self.contexts.append(context)
        self._take(count)

    def _leave(self, count: int) -> None:
        # A `)` that nothing opened belongs to a `case`.
        if len(self.contexts) > 1:
            self.contexts.pop()
        self._take(count)

    def _backtick(self) -> None:
        if "backtick" in self.contexts:
            del self.contexts[self.contexts.index("backtick") :]
            self._take(1)
        else:
            self._enter("backtick", 1)

    def _comment(self) -> None:
        """A shell skips it; so nothing is put into it."""
        end = self.source.find("\n", self.place)
        self._take((len(self.source) if end < 0 else end) - self.place)

    def _bodies(self) -> None:
        """The here-documents that the line before announced."""
        for here in self.waiting:
            while self.place < len(self.source):
                end = self.source.find("\n", self.place) + 1 or len(self.source)
                line = self.source[self.place : end].rstrip("\n")
                self._body_line(end, here)
                if (line.lstrip("\t") if here.indented else line) == here.end:
                    break
        self.waiting = []

    def _body_line(self, end: int, here: _Here) -> None:
        while self.place < end:
            reference = self.at.get(self.place)
            if reference is None:
                self._take(1)
                continue
            if here.quoted:
                raise BadReference(reference, "a quoted here-document, where a shell would not read it")
            self.written.append(f"${{{reference.variable}-}}")
            self.place = reference.end
