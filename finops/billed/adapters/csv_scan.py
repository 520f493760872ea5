"""A CSV file's bytes, looked at once before DuckDB reads them: bounded in size, line length and unpacked size."""

import codecs
import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from controlplane.problems import Problem
from finops.billed.model import Bounds

CHUNK: Final = 1024**2
GZIP_MAGIC: Final = b"\x1f\x8b"
ZIP_MAGIC: Final = b"PK"
PARQUET_MAGIC: Final = b"PAR1"
ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_RATIO_FROM: Final = 64 * 1024**2  # a small file may shrink by any factor


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a text file is. `lines` counts line breaks; `head` is its first line, decoded, without byte order mark.

    `mixed`: some lines end with CR LF, others with LF alone.
    """

    size: int
    sha256: str
    lines: int
    ends_with_break: bool
    head: str
    mixed: bool = False


class Refused(Exception):
    """The file cannot be read; says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def refuse(path: str, message: str, *, line: int = 1, column: int = 1, hint: str = "", rule: str) -> Refused:
    """A reason, at a place in the file."""
    return Refused(Problem(path, line, column, "", message, hint=hint, rule=rule))


class TextCheck:
    """Fed with chunks of a text; raises `Refused` at a byte that is no UTF-8, and for lines that are too long."""

    def __init__(self, path: str, bounds: Bounds) -> None:
        self._path = path
        self._bounds = bounds
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._head = bytearray()
        self._lines = self._pairs = 0
        self._line_length = 0
        self._last = b""
        self._size = 0

    def feed(self, chunk: bytes) -> None:
        """The next bytes."""
        if not self._size and chunk.startswith(_UTF16):
            message, hint = "the text is UTF-16", "save it as UTF-8"
            raise refuse(self._path, message, hint=hint, rule="not-utf-8")
        try:
            self._decoder.decode(chunk)
        except UnicodeDecodeError as error:
            raise self._not_utf8(chunk, error.start) from None
        if b"\0" in chunk:
            raise self._at(chunk, chunk.index(b"\0"), "a NUL byte: this is no text", "not-text")
        self._measure_lines(chunk)
        if not self._lines or len(self._head) < self._bounds.line_bytes:
            self._head += chunk[: self._bounds.line_bytes]
        self._lines += chunk.count(b"\n")
        self._pairs += chunk.count(b"\r\n") + (self._last == b"\r" and chunk.startswith(b"\n"))
        self._size += len(chunk)
        self._last = chunk[-1:] or self._last

    def done(self, sha256: str) -> Scanned:
        """What was seen; raises `Refused` for an empty text or one that ends within a character."""
        if not self._size:
            raise refuse(self._path, "the file is empty", rule="empty-file")
        try:
            self._decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            message = "the file ends in the middle of a character: it is half written"
            raise refuse(self._path, message, line=self._lines + 1, rule="half-written") from None
        head = bytes(self._head).decode("utf-8-sig", errors="replace")
        mixed = 0 < self._pairs < self._lines
        return Scanned(self._size, sha256, self._lines, self._last == b"\n", head, mixed)

    def _measure_lines(self, chunk: bytes) -> None:
        """Jumps to the last break within the limit each time: one step a chunk, however short the lines are."""
        limit, position, carried = self._bounds.line_bytes, 0, self._line_length
        while True:
            room = limit - carried
            last = chunk.rfind(b"\n", position, position + room + 1)
            if last >= 0:
                position, carried = last + 1, 0
                continue
            if len(chunk) - position > room:
                message = f"a line of more than {limit:,} bytes"
                hint = "bounds.lineBytes of the CostSource allows longer ones"
                raise refuse(self._path, message, line=self._line_at(chunk, position), hint=hint, rule="line-too-long")
            self._line_length = carried + len(chunk) - position
            return

    def _line_at(self, chunk: bytes, offset: int) -> int:
        return self._lines + chunk.count(b"\n", 0, offset) + 1

    def _at(self, chunk: bytes, offset: int, message: str, rule: str, hint: str = "") -> Refused:
        before = chunk.rfind(b"\n", 0, offset)
        column = offset - before if before >= 0 else self._line_length + offset + 1
        return refuse(self._path, message, line=self._line_at(chunk, offset), column=column, hint=hint, rule=rule)

    def _not_utf8(self, chunk: bytes, offset: int) -> Refused:
        return self._at(chunk, offset, "the text is not UTF-8", "not-utf-8", "save it as UTF-8")


def scan_text(path: Path, shown: str, bounds: Bounds, seen: Callable[[int], None]) -> Scanned:
    """Look at a plain text file. `seen` is told of every chunk's length. Raises `Refused`."""
    digest, check = hashlib.sha256(), TextCheck(shown, bounds)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            check.feed(chunk)
            seen(len(chunk))
    return check.done(digest.hexdigest())


def unpack_gzip(path: Path, target: Path, shown: str, bounds: Bounds, seen: Callable[[int], None]) -> Scanned:
    """Unpack a gzip text, within bounds; the digest is that of the packed bytes. Raises `Refused`."""
    digest, check = hashlib.sha256(), TextCheck(shown, bounds)
    with path.open("rb") as packed, target.open("wb") as out:
        _unpack(packed, out, shown, bounds, digest.update, check, seen)
    return check.done(digest.hexdigest())


def _unpack(
    packed: IO[bytes],
    out: IO[bytes],
    shown: str,
    bounds: Bounds,
    digest: Callable[[bytes], None],
    check: TextCheck,
    seen: Callable[[int], None],
) -> None:
    """Every member of the file, as gzip(1) does; memory is bounded by two chunks."""
    inflater, read, written = zlib.decompressobj(31), 0, 0
    rest = b""
    while True:
        if not rest:
            rest = packed.read(CHUNK)
            digest(rest)
            read += len(rest)
            seen(len(rest))
            if not rest:
                break
        if inflater.eof:
            if not rest.strip(b"\0"):
                rest = b""
                continue
            inflater = zlib.decompressobj(31)
        try:
            piece = inflater.decompress(rest, CHUNK)
        except zlib.error as error:
            message = f"the gzip data is damaged ({error})"
            raise refuse(shown, message, rule="damaged-file") from None
        rest = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
        written += len(piece)
        _ensure_no_bomb(shown, bounds, read, written)
        if piece:
            check.feed(piece)
            out.write(piece)
    if left := inflater.flush():
        check.feed(left)
        out.write(left)
    if not inflater.eof:
        message = "the gzip data ends early: the file is half written"
        raise refuse(shown, message, hint="import it again when it is complete", rule="half-written")


def _ensure_no_bomb(shown: str, bounds: Bounds, read: int, written: int) -> None:
    if written > bounds.unpacked_bytes:
        message = f"unpacks to more than {bounds.unpacked_bytes:,} bytes"
        raise refuse(shown, message, hint="bounds.unpackedBytes of the CostSource allows more", rule="zip-bomb")
    if written > _RATIO_FROM and written > read * bounds.unpacked_ratio:
        message = f"unpacks to more than {bounds.unpacked_ratio} times its size"
        raise refuse(shown, message, hint="bounds.unpackedRatio of the CostSource allows more", rule="zip-bomb")


def unify_breaks(path: Path, target: Path) -> None:
    """Write it anew with LF at the end of every line; a CR LF within quotes becomes LF, too."""
    with path.open("rb") as source, target.open("wb") as out:
        held = b""
        while chunk := source.read(CHUNK):
            text = held + chunk
            held = text[-1:] if text.endswith(b"\r") else b""
            out.write((text[:-1] if held else text).replace(b"\r\n", b"\n"))
        out.write(held)
