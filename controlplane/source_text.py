"""A user's file as text: decoding that never fails, and places in it."""

import codecs
import re
from bisect import bisect_right

from controlplane.model.source import SourcePosition

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_MARKS = (  # longest first: UTF-32's little-endian mark begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode(content: bytes) -> str:
    """The text of a file: UTF-8, or UTF-16 and UTF-32 when a byte order mark says so; the mark is dropped.

    Never raises. Bytes that are not UTF-8 become lone surrogates U+DC80…U+DCFF (as `surrogateescape` does), broken
    UTF-16 or UTF-32 becomes U+DFFF, so that a check of characters finds them at their place.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            if encoding == "utf-8":
                return content[len(mark) :].decode("utf-8", "surrogateescape")
            return content.decode(encoding, "flyball.broken")
    return content.decode("utf-8", "surrogateescape")


def _mark_broken(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "\udfff", error.end


codecs.register_error("flyball.broken", _mark_broken)


class SourceText:
    """Text of one file; turns character offsets into lines and columns. Lines end with LF, CRLF or CR."""

    __slots__ = ("_line_starts", "path", "text")

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self._line_starts: list[int] | None = None

    @property
    def line_starts(self) -> list[int]:
        """Offset of each line's first character; computed when first asked for."""
        if self._line_starts is None:
            self._line_starts = [0, *(match.end() for match in _LINE_BREAK.finditer(self.text))]
        return self._line_starts

    def position(self, index: int) -> SourcePosition:
        """The line and column of a character, both from 1. An index past the end means the end."""
        index = max(0, min(index, len(self.text)))
        line = bisect_right(self.line_starts, index)
        return SourcePosition(self.path, line, index - self.line_starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """The line with this number (from 1) without its end; empty when there is none."""
        if not 1 <= number <= len(self.line_starts):
            return ""
        start = self.line_starts[number - 1]
        end = self.line_starts[number] if number < len(self.line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")

    def length_on_line(self, start: int, end: int) -> int:
        """How many characters of [start, end) stand on the line where it starts; at least 1."""
        found = _LINE_BREAK.search(self.text, start, max(start, end))
        return max(1, (found.start() if found else end) - start)
