"""A fold as bytes, so that the state as of any event costs a few events and not the whole run."""

from __future__ import annotations

import msgspec

from runline.fold.state import RunFold, Touched

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(RunFold).decode


def encode_fold(fold: RunFold) -> bytes:
    """The fold without what is touched. It must hold all its steps and open calls."""
    return _encode(msgspec.structs.replace(fold, touched=Touched()))


def decode_fold(state: bytes) -> RunFold:
    """The fold of `encode_fold`; raises msgspec.MsgspecError when the bytes are of another version."""
    return _decode(state)
