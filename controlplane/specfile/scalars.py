"""Where each character of a scalar's value stands in the file.

The value is built once more from its source, with the offset of every character, by YAML's rules for quotes, escapes,
line folding and block scalars (YAML 1.2, chapters 7 and 8).
"""

import re
from typing import Final

from controlplane.specfile.composing import Entry, Place

_PROPERTIES: Final = re.compile(r"(?:(?:&[A-Za-z0-9_-]*|!\S*)(?:[ \t\r\n\x85\u2028\u2029]++(?:#[^\r\n]*+)?)*+)*+")
_BREAK: Final = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_KEPT_BREAKS: Final = "\u2028\u2029"
_HEADER: Final = re.compile("[|>]([1-9][-+]?|[-+]?[1-9]?)[ \t]*(?:#[^\r\n\x85\u2028\u2029]*)?")
_ESCAPES: Final = frozenset('0abt\tnvfre "/\\N_LP')
_CODED: Final = {"x": 2, "u": 4, "U": 8}


class _Built:
    """A value under construction: its characters, and where each stands."""

    def __init__(self) -> None:
        self.characters: list[str] = []
        self.indices: list[int] = []

    def add(self, characters: str, index: int) -> None:
        """Characters that all stand for the one at `index`."""
        self.characters.append(characters)
        self.indices.extend([index] * len(characters))

    def copy(self, text: str, start: int, end: int) -> None:
        """Characters that stand for themselves."""
        self.characters.append(text[start:end])
        self.indices.extend(range(start, end))

    def done(self, end: int) -> tuple[str, list[int]]:
        """The value, and one offset more than it has characters: the end."""
        return "".join(self.characters), [*self.indices, end]


def decoded(text: str, entry: Entry, holder: Place | None) -> tuple[str, list[int]]:
    """A scalar's value, and the file offset of each of its characters and of its end.

    `holder` is the mapping or list that holds it, from which explicit block indentation counts; None for a root.
    """
    start, end = entry.place.start, entry.place.end
    properties = _PROPERTIES.match(text, start, end)
    assert properties is not None
    start = properties.end()
    first = text[start : start + 1] if start < end else ""
    if first in ("|", ">"):
        return _block(text, start, end, _parent_indent(text, entry, holder))
    if first == '"':
        return _flow(text, start + 1, end - 1, '"')
    if first == "'":
        return _flow(text, start + 1, end - 1, "'")
    return _flow(text, start, end, "")


def _flow(text: str, start: int, end: int, quote: str) -> tuple[str, list[int]]:
    built = _Built()
    at = start
    while at < end:
        character = text[at]
        if character in " \t" or _BREAK.match(character):
            at = _fold_blanks(built, text, at, end)
        elif quote == "'" and character == "'":
            built.copy(text, at, at + 1)
            at += 2
        elif quote == '"' and character == "\\":
            at = _escape(built, text, at, end)
        else:
            built.copy(text, at, at + 1)
            at += 1
    return built.done(end)


def _fold_blanks(built: _Built, text: str, start: int, end: int, *, escaped: bool = False) -> int:
    """Take a run of blanks and line breaks: one break reads as a space, further ones as themselves."""
    at = start
    breaks: list[tuple[str, int]] = [("", start)] if escaped else []
    while at < end:
        found = _BREAK.match(text, at, end)
        if found is not None:
            breaks.append((found.group() if found.group() in _KEPT_BREAKS else "\n", at))
            at = found.end()
        elif text[at] in " \t":
            at += 1
        else:
            break
    if not breaks:
        built.copy(text, start, at)
    elif breaks[0][0] == "\n" and len(breaks) == 1:
        built.add(" ", breaks[0][1])
    else:
        for character, index in breaks if breaks[0][0] != "\n" else breaks[1:]:
            built.add(character, index)
    return at


def _escape(built: _Built, text: str, at: int, end: int) -> int:
    code = text[at + 1]
    broken = _BREAK.match(text, at + 1, end)
    if broken is not None:
        return _fold_blanks(built, text, broken.end(), end, escaped=True)
    built.add("?" if code not in _CODED else "u", at)  # its character does not matter, only that it is one
    return at + 2 + _CODED.get(code, 0)


def _block(text: str, start: int, end: int, parent: int) -> tuple[str, list[int]]:
    header = _HEADER.match(text, start)
    assert header is not None
    folded = text[start] == ">"
    digits = header.group(1).strip("+-")
    lines = _lines(text, header.end())
    indent = parent + int(digits) if digits else _detected(text, lines, parent)
    built = _Built()
    pending: list[tuple[str, int]] = []  # breaks since the last line with content
    was_blank = True
    for line, line_end, after in lines:
        content = line
        while content < line_end and content - line < indent and text[content] == " ":
            content += 1
        if content == line_end:
            if after > line_end:
                pending.append((_break_of(text, line_end), line_end))
            continue
        if content - line < indent:
            break
        is_blank = text[content] in " \t"
        _join(built, pending, fold=folded and bool(built.characters) and not was_blank and not is_blank)
        built.copy(text, content, line_end)
        pending = [(_break_of(text, line_end), line_end)] if after > line_end else []
        was_blank = is_blank
    chomp = header.group(1).strip("123456789")
    if chomp != "-":
        has_content = bool(built.characters)
        for character, index in pending if chomp == "+" else pending[: 1 if has_content else 0]:
            built.add(character, index)
    return built.done(built.indices[-1] + 1 if built.indices else min(end, len(text)))


def _join(built: _Built, pending: list[tuple[str, int]], *, fold: bool) -> None:
    if fold and pending and pending[0][0] == "\n":
        if len(pending) == 1:
            built.add(" ", pending[0][1])
        pending = pending[1:]
    for character, index in pending:
        built.add(character, index)


def _lines(text: str, at: int) -> list[tuple[int, int, int]]:
    """(start, end, start of the next) of each line after the one where `at` stands."""
    lines = []
    found = _BREAK.search(text, at)
    at = found.end() if found else len(text)
    while at < len(text):
        found = _BREAK.search(text, at)
        line_end, after = (found.start(), found.end()) if found else (len(text), len(text))
        lines.append((at, line_end, after))
        at = after
    return lines


def _break_of(text: str, at: int) -> str:
    return text[at] if text[at] in _KEPT_BREAKS else "\n"


def _detected(text: str, lines: list[tuple[int, int, int]], parent: int) -> int:
    """The indentation of a block without an explicit one: that of its first line with content."""
    widest = 0
    for start, end, _ in lines:
        at = start
        while at < end and text[at] == " ":
            at += 1
        widest = max(widest, at - start)
        if at < end:
            break
    return max(widest, parent + 1, 1)


def _parent_indent(text: str, entry: Entry, holder: Place | None) -> int:
    if holder is None:
        return 0
    at = entry.start if isinstance(holder.inner, dict) else text.rfind("-", 0, entry.start)
    line = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at))
    return at - line - 1
