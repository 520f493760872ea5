"""A sheet as bytes and back. The same day gives the same bytes on every machine."""

import struct
from typing import Final

import numpy as np

from exporters.dora.sheets.columns import CHANGE, COUNTED, DEPLOYMENT, INCIDENT, DaySheet

VERSION: Final = 1
_HEAD: Final = struct.Struct("<BIIII")  # version; deployments, changes, incidents, counted hashes
_PARTS: Final = (DEPLOYMENT, CHANGE, INCIDENT, COUNTED)


class UnreadableSheet(ValueError):
    """Bytes of another version, or of no sheet at all: the day must be measured again."""


def pack(sheet: DaySheet) -> bytes:
    """Empty for a day of which there is nothing to say, which the store drops."""
    if sheet.is_empty:
        return b""
    parts = (sheet.deployments, sheet.changes, sheet.incidents, sheet.counted)
    head = _HEAD.pack(VERSION, *(len(part) for part in parts))
    rows = (np.ascontiguousarray(part, dtype).tobytes() for part, dtype in zip(parts, _PARTS, strict=True))
    return b"".join((head, *rows))


def unpack(body: bytes) -> DaySheet:
    """Its rows, without copying. Raises `UnreadableSheet`."""
    if not body:
        return DaySheet()
    if len(body) < _HEAD.size or body[0] != VERSION:
        raise UnreadableSheet(f"version {body[0]} in {len(body)} bytes, expected version {VERSION}")
    _, *counts = _HEAD.unpack_from(body)
    expected = _HEAD.size + sum(count * dtype.itemsize for count, dtype in zip(counts, _PARTS, strict=True))
    if expected != len(body):
        raise UnreadableSheet(f"{len(body)} bytes, expected {expected}")
    parts, offset = [], _HEAD.size
    for count, dtype in zip(counts, _PARTS, strict=True):
        parts.append(np.frombuffer(body, dtype, count, offset))
        offset += count * dtype.itemsize
    return DaySheet(*parts)
