"""Events in files and pipes: a JSON object, a JSON list, or one JSON object a line (NDJSON)."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import IO, Final

from exporters.cloudevents.exact_json import ExactJSON
from exporters.cloudevents.faults import Fault, Malformed
from exporters.usage.deliveries import Candidate, Delivery, gathered
from exporters.usage.measuring import Measurer

PART: Final = 5_000  # events stored in one transaction
MAX_LINE_BYTES: Final = 1024 * 1024
MAX_DOCUMENT_BYTES: Final = 20 * 1024 * 1024  # of a JSON list, which is read as a whole
_PACKED: Final = {b"\x1f\x8b": "gzip", b"PK": "zip", b"BZ": "bzip2", b"\xfd7": "xz", b"\x28\xb5": "zstd"}
_MARK: Final = b"\xef\xbb\xbf"


def deliveries(stream: IO[bytes], measurer: Measurer, now: datetime) -> Iterator[Delivery]:
    """The events of a stream in parts, in order. What is no event is told by its line; reading goes on after it.

    A line longer than `MAX_LINE_BYTES` is passed over without being kept, so that memory stays bounded.
    """
    start = stream.readline(MAX_LINE_BYTES + 1)
    packed = _PACKED.get(start[:2])
    if packed:
        yield _refused(f"is packed with {packed}: unpack it first")
        return
    start = start.removeprefix(_MARK)
    while start.isspace() and start.endswith(b"\n"):
        start = stream.readline(MAX_LINE_BYTES + 1)
    if start.lstrip().startswith(b"[") or _goes_on(start):
        yield from _document(start, stream, measurer, now)
        return
    candidates = _lines(start, stream)
    while part := list(islice(candidates, PART)):
        yield gathered(part, measurer, now)


def _goes_on(start: bytes) -> bool:
    """Whether the first line is only the beginning of an object, as in JSON that people can read."""
    return start.strip() in (b"{", b"") or (start.lstrip().startswith(b"{") and start.rstrip().endswith((b",", b"{")))


def _document(start: bytes, stream: IO[bytes], measurer: Measurer, now: datetime) -> Iterator[Delivery]:
    body = start + stream.read(MAX_DOCUMENT_BYTES + 1 - len(start))
    if len(body) > MAX_DOCUMENT_BYTES:
        most = MAX_DOCUMENT_BYTES // 1024**2
        yield _refused(f"is one JSON document of more than {most} MiB: write one event a line instead (NDJSON)")
        return
    if not body.strip():
        return
    try:
        read = ExactJSON(body)
    except Malformed as error:
        yield Delivery(faults=(error.at(""),), refused=1)
        return
    if not isinstance(read.value, list):
        yield gathered([("", read.value, lambda: read.exact)], measurer, now)
        return
    for first in range(0, len(read.value), PART):
        yield gathered(_items(read, first), measurer, now)


def _items(read: ExactJSON, first: int) -> Iterator[Candidate]:
    for index in range(first, min(first + PART, len(read.value))):
        yield f"event {index}", read.value[index], lambda index=index: read.exact[index]  # type: ignore[misc]


def _lines(start: bytes, stream: IO[bytes]) -> Iterator[Candidate]:
    line, number = start, 1
    while line:
        if len(line) > MAX_LINE_BYTES:
            _skip(line, stream)
            reason = Malformed("", f"is longer than {MAX_LINE_BYTES:,} bytes")
            yield f"line {number}", reason, _nothing
        elif not line.isspace():
            yield _candidate(f"line {number}", line)
        line, number = stream.readline(MAX_LINE_BYTES + 1), number + 1


def _candidate(place: str, line: bytes) -> Candidate:
    try:
        read = ExactJSON(line)
    except Malformed as error:
        return place, error, _nothing
    return place, read.value, lambda: read.exact


def _skip(line: bytes, stream: IO[bytes]) -> None:
    while line and not line.endswith(b"\n"):
        line = stream.readline(MAX_LINE_BYTES)


def _nothing() -> None:
    return None


def _refused(reason: str) -> Delivery:
    return Delivery(faults=(Fault("", "", reason),), refused=1)
