"""What is said in a conversation: patterns (RE2), and what their groups become in what is sent.

As blackbox_exporter does it: `$1`, `${1}`, `$name`, `${name}` and `$$`, and `\\1` beside them; a group that does not
exist is empty. `${env:NAME}` is the prober's own; what a target said is never looked through for it.
"""

import re
from collections.abc import Mapping
from typing import Final, Protocol

from synthetics.probes.adapters.failures import ProbeFailed
from synthetics.probes.patterns import BadPattern, compiled
from synthetics.probes.variables import MissingVariable

MOST_LINE_BYTES: Final = 65_536  # as Go's bufio.Scanner has it
MOST_BYTES: Final = 1024 * 1024  # of all that is read in one conversation
MOST_PIECES: Final = 10_000  # lines, messages, frames: each takes time that other probes have not
BREATH: Final = 200  # pieces after which other probes have their turn
_MOST_SHOWN: Final = 80
_PLACE: Final = re.compile(
    r"\$(?:\{env:(?P<env>[^{}]*)\}|(?P<dollar>\$)|\{(?P<braced>\w+)\}|(?P<plain>\w+))|\\(?P<old>[1-9])", re.ASCII
)


class Match(Protocol):
    """What RE2 found."""

    def group(self, number: int, /) -> str:
        """All that matched, for 0."""
        ...

    def groups(self) -> tuple[str | None, ...]:
        """Groups by number, from 1."""
        ...

    def groupdict(self) -> dict[str, str | None]:
        """Groups by name."""
        ...


def find(pattern: str, text: str) -> Match | None:
    """Where the pattern matches first. Raises ProbeFailed, a fault of the prober, for what is no pattern."""
    try:
        found: Match | None = compiled(pattern).search(text)
    except BadPattern as bad:
        raise ProbeFailed("pattern", f"`{shortened(pattern)}` is no RE2 pattern: {bad}", is_fault=True) from None
    return found


def said(text: str, match: Match | None, variables: Mapping[str, str]) -> str:
    """The text with groups of the match and variables of the prober; without a match, groups stay as they are.

    Raises ProbeFailed, a fault of the prober, for a variable that is not set.
    """

    def value(place: re.Match[str]) -> str:
        if place["env"] is not None:
            return _variable(place["env"], variables)
        if match is None:
            return place[0]
        return "$" if place["dollar"] else _group(match, place["braced"] or place["plain"] or place["old"])

    return _PLACE.sub(value, text)


def _variable(name: str, variables: Mapping[str, str]) -> str:
    try:
        return variables[name]
    except KeyError:
        raise ProbeFailed("variable", str(MissingVariable(name)), is_fault=True) from None


def _group(match: Match, name: str) -> str:
    if not name.isdigit():
        return match.groupdict().get(name) or ""
    number, groups = int(name), match.groups()
    if number == 0:
        return match.group(0)
    return (groups[number - 1] or "") if number <= len(groups) else ""


def not_expected(pattern: str, last: str | None) -> ProbeFailed:
    """What came was not what the pattern wants; `last` is None when nothing came."""
    shown = "nothing came" if last is None else f"the last was `{shortened(last)}`"
    return ProbeFailed("expect", f"nothing that was said matches `{shortened(pattern)}`; {shown}")


def shortened(text: str) -> str:
    """For people, on one line."""
    line = "".join(character if character.isprintable() else "·" for character in text[: _MOST_SHOWN + 1])
    return line if len(text) <= _MOST_SHOWN else f"{line[:_MOST_SHOWN]}…"
