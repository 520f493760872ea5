"""Problems as people, programs and GitHub read them."""

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from controlplane.problems import Problem, Severity, in_order, with_secrets
from controlplane.source_text import SourceText, decode

_SHOWN_COLUMNS: Final = 160  # of a source line; longer ones are cut around the place
_TAB: Final = "    "
_BOLD, _RED, _YELLOW, _BLUE, _RESET = "\x1b[1m", "\x1b[31m", "\x1b[33m", "\x1b[34m", "\x1b[0m"


def as_text(problems: Iterable[Problem], sources: Mapping[str, bytes], colour: bool = False) -> str:
    """As compilers print them: `path:line:column: field: message  [rule]`, the line with a caret under it, the hint.

    `sources` holds the files' bytes by path; a problem of another file has no source line. The last line counts;
    nothing at all is the empty text. Lines that hold a secret are not shown. Ends with a line break otherwise.
    """
    ordered = in_order(problems)
    if not ordered:
        return ""
    texts: dict[str, SourceText] = {}
    blocks = []
    hidden = with_secrets(ordered)
    for problem in ordered:
        if problem.path not in texts:
            texts[problem.path] = SourceText(problem.path, decode(sources.get(problem.path, b"")))
        shown = "" if (problem.path, problem.line) in hidden else texts[problem.path].line(problem.line)
        blocks.append(_block(problem, shown, _Paint(colour, problem.severity)))
    return "\n".join([*blocks, summary(ordered), ""])


def summary(problems: Sequence[Problem]) -> str:
    """`3 problems in 2 files`, and how many of them are only warnings."""
    files = len({problem.path for problem in problems})
    warnings = sum(problem.severity is Severity.WARNING for problem in problems)
    counted = f"{_count(len(problems), 'problem')} in {_count(files, 'file')}"
    return f"{counted} ({_count(warnings, 'warning')})" if warnings else counted


def as_json(problems: Iterable[Problem]) -> str:
    """A JSON list of objects with path, line, column, length, field, message, severity, rule and hint; one a line."""
    lines = [
        json.dumps(
            {
                "path": problem.path, "line": problem.line, "column": problem.column, "length": problem.length,
                "field": problem.field, "message": problem.message, "severity": problem.severity.value,
                "rule": problem.rule, "hint": problem.hint,
            },
            ensure_ascii=True,
        )
        for problem in in_order(problems)
    ]  # fmt: skip
    return "[\n" + ",\n".join(f"  {line}" for line in lines) + "\n]\n" if lines else "[]\n"


def as_github(problems: Iterable[Problem]) -> str:
    """GitHub workflow commands, one a line; GitHub shows each at its place in the change."""
    return "".join(_command(problem) for problem in in_order(problems))


def _command(problem: Problem) -> str:
    message = f"{problem.field}: {problem.message}" if problem.field else problem.message
    if problem.hint:
        message += f"\n{problem.hint}"
    properties = {
        "file": problem.path,
        "line": str(problem.line),
        "col": str(problem.column),
        "endColumn": str(problem.column + problem.length),
        "title": problem.rule or "flyball check",
    }
    written = ",".join(f"{name}={_escaped(value, is_property=True)}" for name, value in properties.items())
    return f"::{problem.severity.value} {written}::{_escaped(message, is_property=False)}\n"


def _escaped(text: str, *, is_property: bool) -> str:
    escaped = printable(text, keep="\r\n").replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return escaped.replace(":", "%3A").replace(",", "%2C") if is_property else escaped


class _Paint:
    """Colour, when asked for."""

    def __init__(self, colour: bool, severity: Severity) -> None:
        self._colour = colour
        self._accent = _RED if severity is Severity.ERROR else _YELLOW

    def __call__(self, text: str, *codes: str) -> str:
        return f"{''.join(codes)}{text}{_RESET}" if self._colour and text else text

    def accent(self, text: str) -> str:
        """The colour of the severity."""
        return self(text, _BOLD, self._accent)


def _block(problem: Problem, line: str, paint: _Paint) -> str:
    place = paint(printable(str(problem.position)), _BOLD)
    warning = paint.accent("warning: ") if problem.severity is Severity.WARNING else ""
    field = f"{printable(problem.field)}: " if problem.field else ""
    rule = paint(f"  [{printable(problem.rule)}]", _BLUE) if problem.rule else ""
    lines = [f"{place}: {warning}{field}{printable(problem.message)}{rule}"]
    number = str(problem.line)
    margin = " " * len(number)
    if line.strip():
        shown, before, marked = _excerpt(line, problem.column - 1, problem.length)
        lines.append(f"  {paint(f'{number} |', _BLUE)} {shown}".rstrip())
        lines.append(f"  {paint(f'{margin} |', _BLUE)} {before}{paint.accent('^' * marked)}")
    if problem.hint:
        lines.append(f"  {margin} {paint('=', _BLUE)} {printable(problem.hint)}")
    return "\n".join(lines) + "\n"


def _excerpt(line: str, start: int, length: int) -> tuple[str, str, int]:
    """The line as a terminal shows it, the blanks that lead below the place, and the width to underline."""
    start = max(0, min(start, len(line)))
    cut = max(0, start - _SHOWN_COLUMNS // 2) if len(line) > _SHOWN_COLUMNS else 0
    end = min(len(line), cut + _SHOWN_COLUMNS)
    ahead, behind = ("…" if cut else ""), ("…" if end < len(line) else "")
    shown = ahead + printable(line[cut:end]) + behind
    before = " " * (width(ahead) + width(printable(line[cut:start])))
    marked = width(printable(line[start : min(end, start + length)]))
    return shown, before, max(1, marked)


def printable(text: str, keep: str = "") -> str:
    """Text that a terminal can't take for commands: tabs as blanks, other control characters as �."""
    if text.isprintable():
        return text
    return "".join(_printable_character(character, keep) for character in text)


def _printable_character(character: str, keep: str) -> str:
    if character == "\t":
        return _TAB
    if character in keep or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return character
    return "�"


def width(text: str) -> int:
    """Columns that text takes in a terminal: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
