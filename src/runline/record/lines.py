"""Lines out of the bytes that a command prints, in chunks of any size.

A line ends with LF or CR LF; what is left at the end is one too. Bytes that are no UTF-8 become U+FFFD. Text that
a lone CR overwrites (a progress bar) is what a terminal would not show either: of a line only the last
text is kept, and of one that is still being rewritten a sample a second, so that there is news of it.
Of a line longer than 1 MiB the beginning is kept and the rest counted: memory stays flat.
"""

from __future__ import annotations

from time import monotonic

MAX_BYTES = 1024 * 1024
_SAMPLE_S = 1.0


class Lines:
    """Splits one stream. `cut` has, for the lines last given out, their index and full size where they were cut."""

    def __init__(self) -> None:
        self.cut: list[tuple[int, int]] = []
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._skipped_bytes = 0
        self._carriage = b""
        self._sampled_s = -_SAMPLE_S

    def feed(self, chunk: bytes) -> list[str]:
        """The lines that are complete now."""
        self.cut = []
        chunk = self._carriage + chunk
        # A CR at the end may be the first half of CR LF.
        self._carriage = b"\r" if chunk.endswith(b"\r") else b""
        if b"\r" in chunk:
            chunk = (chunk[:-1] if self._carriage else chunk).replace(b"\r\n", b"\n")
        end = chunk.rfind(b"\n")
        found = self._complete(chunk[:end]) if end >= 0 else []
        rest = chunk[end + 1 :]
        if b"\r" in rest:
            rewritten, _, rest = rest.rpartition(b"\r")
            found += self._sample(rewritten)
        self._hold(rest)
        return found

    def finish(self) -> list[str]:
        """The last line, if the stream ended within one."""
        self.cut = []
        return self._complete(b"") if self._held_bytes else []

    def _complete(self, block: bytes) -> list[str]:
        """The lines of what is held and the block, which ends where a line ends."""
        if self._skipped_bytes:
            end = block.find(b"\n")
            end = len(block) if end < 0 else end
            self.cut.append((0, self._held_bytes + self._skipped_bytes + end))
            block = block[end:]
        whole = b"".join((*self._held, block))
        self._held, self._held_bytes, self._skipped_bytes = [], 0, 0
        found = whole.decode("utf-8", "replace").split("\n")
        if b"\r" in whole:
            found = [_last_written(line) for line in found]
        return found

    def _sample(self, rewritten: bytes) -> list[str]:
        line = _last_written(self._complete(rewritten)[0])
        now_s = monotonic()
        if not line or now_s - self._sampled_s < _SAMPLE_S:
            self.cut = []
            return []
        self._sampled_s = now_s
        return [line]

    def _hold(self, rest: bytes) -> None:
        kept = rest[: MAX_BYTES - self._held_bytes]
        if kept:
            self._held.append(kept)
            self._held_bytes += len(kept)
        self._skipped_bytes += len(rest) - len(kept)


def _last_written(line: str) -> str:
    """What stands on the line after all its rewriting."""
    return next((text for text in reversed(line.split("\r")) if text.strip()), "")
