"""Events in files and pipes: a JSON object, a JSON list, or one JSON object a line (NDJSON)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Final

from exporters.cloudevents.faults import Malformed

MAX_LINE_BYTES: Final = 1024 * 1024
MAX_DOCUMENT_BYTES: Final = 20 * 1024 * 1024  # of a JSON list, which is read as a whole
_PACKED: Final = {b"\x1f\x8b": "gzip", b"PK": "zip", b"BZ": "bzip2", b"\xfd7": "xz", b"\x28\xb5": "zstd"}
_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A line (`place` is `line 17`), or a whole document (`place` is empty); or why it is not looked at."""

    place: str
    content: bytes = b""
    fault: Malformed | None = None

    @property
    def is_document(self) -> bool:
        """Whether it is all of the file, and may be a list."""
        return not self.place


def chunks(stream: IO[bytes]) -> Iterator[Chunk]:
    """What a stream holds, in order; blank lines are passed over.

    A line longer than `MAX_LINE_BYTES` is passed over without being kept, so that memory stays bounded.
    """
    start = stream.readline(MAX_LINE_BYTES + 1)
    packed = _PACKED.get(start[:2])
    if packed:
        yield Chunk("", fault=Malformed("", f"is packed with {packed}: unpack it first"))
        return
    start = start.removeprefix(_MARK)
    number = 1
    while start.isspace() and start.endswith(b"\n"):
        start, number = stream.readline(MAX_LINE_BYTES + 1), number + 1
    if start.lstrip().startswith(b"[") or _goes_on(start):
        yield from _document(start, stream)
        return
    yield from _lines(start, number, stream)


def _goes_on(start: bytes) -> bool:
    """Whether the first line is only the beginning of an object, as in JSON that people can read."""
    return start.strip() in (b"{", b"") or (start.lstrip().startswith(b"{") and start.rstrip().endswith((b",", b"{")))


def _document(start: bytes, stream: IO[bytes]) -> Iterator[Chunk]:
    body = start + stream.read(MAX_DOCUMENT_BYTES + 1 - len(start))
    if len(body) > MAX_DOCUMENT_BYTES:
        most = MAX_DOCUMENT_BYTES // 1024**2
        reason = f"is one JSON document of more than {most} MiB: write one event a line instead (NDJSON)"
        yield Chunk("", fault=Malformed("", reason))
    elif body.strip():
        yield Chunk("", body)


def _lines(line: bytes, number: int, stream: IO[bytes]) -> Iterator[Chunk]:
    while line:
        if len(line) > MAX_LINE_BYTES:
            _skip(line, stream)
            yield Chunk(f"line {number}", fault=Malformed("", f"is longer than {MAX_LINE_BYTES:,} bytes"))
        elif not line.isspace():
            yield Chunk(f"line {number}", line)
        line, number = stream.readline(MAX_LINE_BYTES + 1), number + 1


def _skip(line: bytes, stream: IO[bytes]) -> None:
    while line and not line.endswith(b"\n"):
        line = stream.readline(MAX_LINE_BYTES)
