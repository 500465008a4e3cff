"""The per-event checksum: any single flipped bit of a stored event changes it.

`content_check` covers what the caller knows (time, message, correlation id, payload) and is computed in
the caller's thread; `seal` mixes in what the writer decides. Every term of `seal` is an odd multiple of a
stored integer, so one flipped bit in any of them moves the sum, modulo 2³², by a non-zero amount.
"""

from __future__ import annotations

from zlib import crc32

_MASK = 0xFFFFFFFF


def content_check(ts_ms: int, message: bytes, correlation_id: str | None, payload: bytes) -> int:
    """CRC-32 over the caller's part; `message` and `payload` are UTF-8."""
    check = crc32(payload, crc32(message, ts_ms & _MASK))
    if correlation_id is not None:
        check = crc32(correlation_id.encode(), check)
    return check ^ (ts_ms >> 32 & _MASK)


def place_check(run: int, level: int, type_: int, step: int | None, source: int | None) -> int:
    """The writer's part that is the same for many events; absent codes count as 0."""
    return (
        run * 2654435761
        + level * 40503
        + type_ * 2246822519
        + (0 if step is None else step) * 3266489917
        + (0 if source is None else source) * 668265263
    ) & _MASK


def seal(content: int, place: int, seq: int) -> int:
    """The stored checksum, 32 bits."""
    return content ^ ((place + seq * 374761393) & _MASK)
