"""Bytes of a file as text: gzip, byte order marks, encodings. Bounded."""

import codecs
import gzip
import io
import zlib
from typing import Final

_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"
_PARQUET: Final = b"PAR1"
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Unreadable(Exception):
    """Says what it is instead, and what was expected."""


def as_text(content: bytes, most_bytes: int) -> str:
    """The text. Raises `Unreadable` for what is no text, or too much of it once unpacked.

    UTF-8, UTF-16 with a mark; what is neither is read as Windows-1252, as spreadsheets write it.
    """
    if content.startswith(_GZIP):
        content = _unpacked(content, most_bytes)
    if len(content) > most_bytes:
        raise Unreadable(f"is larger than {most_bytes >> 20:,} MiB: split it")
    if content.startswith((_ZIP, _PARQUET)):
        kind = "a zip archive or a workbook" if content.startswith(_ZIP) else "a Parquet file"
        raise Unreadable(f"is {kind}: CSV is expected, plain or packed with gzip")
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _decoded(content, encoding)
    if b"\0" in content[:4096]:
        raise Unreadable("is no text: CSV is expected, plain or packed with gzip")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _unpacked(content: bytes, most_bytes: int) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            return packed.read(most_bytes + 1)
    except (OSError, EOFError, zlib.error):
        raise Unreadable("is packed with gzip, and damaged") from None


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable(f"has a mark of {encoding.removesuffix('-sig').upper()} but is not ({error.reason})") from None
