"""A state as bytes: for the store, beside the models. No pickle: what was tampered with is refused, not run."""

import struct
import zlib
from dataclasses import fields

import numpy as np
import orjson

from alerts.anomaly.episodes.model import OUTPUTS
from alerts.anomaly.episodes.state import Presence, State, Watch, column

STATE_VERSION = 1
_MAGIC = b"FBEP"
_HEAD = struct.Struct("<4sHqIIQ")  # magic, version, index, CRC-32 of the body, bytes of keys, series
_MOST_SERIES = 100_000


def pack(state: State) -> bytes:
    """About 230 bytes a series besides its text, before compression."""
    keys = orjson.dumps(state.keys)
    parts = [
        np.ascontiguousarray(getattr(part, each.name)).astype(_stored(each.name)).tobytes()
        for part in (state.watch, state.presence)
        for each in fields(part)
    ]
    body = zlib.compress(keys + b"".join(parts), 1)
    return _HEAD.pack(_MAGIC, STATE_VERSION, state.index, zlib.crc32(body), len(keys), len(state.keys)) + body


def unpack(packed: bytes) -> State:
    """What was packed. Raises `ValueError` for other bytes, and for those of another version."""
    if len(packed) < _HEAD.size:
        raise ValueError("this is no state of episodes")
    magic, version, index, crc, length, series = _HEAD.unpack_from(packed)
    body = packed[_HEAD.size :]
    if magic != _MAGIC or version != STATE_VERSION or zlib.crc32(body) != crc or series > _MOST_SERIES:
        raise ValueError("this is no state of episodes, or one of another version")
    widths = [_width(Watch) * len(OUTPUTS), _width(Presence)]
    size = length + sum(widths) * series
    decoder = zlib.decompressobj()
    plain = decoder.decompress(body, size + 1)
    if len(plain) != size:
        raise ValueError("the state of episodes is damaged")
    keys = orjson.loads(plain[:length])
    if not isinstance(keys, list) or len(keys) != series:
        raise ValueError("the state of episodes is damaged")
    watch = Watch(**_arrays(plain, length, Watch, series * len(OUTPUTS)))
    presence = Presence(**_arrays(plain, length + widths[0] * series, Presence, series))
    return State(tuple(map(str, keys)), index, watch, presence)


def _stored(name: str) -> np.dtype[np.generic]:
    return column(name, 0).dtype.newbyteorder("<")


def _width(part: type[Watch] | type[Presence]) -> int:
    return sum(_stored(each.name).itemsize for each in fields(part))


def _arrays(plain: bytes, offset: int, part: type[Watch] | type[Presence], count: int) -> dict[str, np.ndarray]:
    arrays = {}
    for each in fields(part):
        stored = _stored(each.name)
        arrays[each.name] = np.frombuffer(plain, stored, count, offset).astype(column(each.name, 0).dtype)
        offset += stored.itemsize * count
    return arrays
