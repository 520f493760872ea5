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
    return DaySheet(*(np.frombuffer(part, dtype) for part, dtype in zip(parts(body), _PARTS, strict=True)))


def parts(body: bytes) -> tuple[memoryview, memoryview, memoryview, memoryview]:
    """The bytes of its deployments, changes, incidents and counted hashes. Raises `UnreadableSheet`."""
    view = memoryview(body)
    if not body:
        return view, view, view, view
    if len(body) < _HEAD.size or body[0] != VERSION:
        raise UnreadableSheet(f"version {body[0]} in {len(body)} bytes, expected version {VERSION}")
    _, deployments, changes, incidents, counted = _HEAD.unpack_from(body)
    first = _HEAD.size
    second = first + deployments * DEPLOYMENT.itemsize
    third = second + changes * CHANGE.itemsize
    fourth = third + incidents * INCIDENT.itemsize
    end = fourth + counted * COUNTED.itemsize
    if end != len(body):
        raise UnreadableSheet(f"{len(body)} bytes, expected {end}")
    return view[first:second], view[second:third], view[third:fourth], view[fourth:]
