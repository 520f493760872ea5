"""A webhook's JSON, read by path: what it says comes out as it is needed, or `Malformed` says which field is wrong."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from exporters.cloudevents.faults import Malformed, kind_of, quoted

LONGEST_NAME: Final = 200  # of services, environments, versions, labels, branches
LONGEST_TITLE: Final = 300
LONGEST_URL: Final = 1000
LONGEST_TEXT: Final = 100_000  # of descriptions, which are searched and not kept
MOST_ITEMS: Final = 3_000  # GitHub names at most 2,048 commits of a push
_EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))? ?([Zz]|UTC|[+-]\d\d:?\d\d)", re.ASCII
)
_NOTHING: Final[Mapping[str, object]] = {}


@dataclass(frozen=True, slots=True)
class Node:
    """An object of the payload and the path to it. Missing or null reads as empty; a wrong type is malformed."""

    value: Mapping[str, object]
    path: str = ""

    def __bool__(self) -> bool:
        return bool(self.value)

    def part(self, name: str) -> "Node":
        """The object under a name."""
        return _node(self.value.get(name), self.at(name))

    def parts(self, name: str) -> list["Node"]:
        """The objects of a list."""
        values = self.value.get(name)
        if values is None:
            return []
        if type(values) is not list:
            raise Malformed(self.at(name), f"must be a list, not {kind_of(values)}")
        if len(values) > MOST_ITEMS:
            raise Malformed(self.at(name), f"has {len(values):,} entries, more than {MOST_ITEMS:,}")
        return [_node(value, f"{self.at(name)}[{index}]") for index, value in enumerate(values)]

    def text(self, name: str, most: int = LONGEST_NAME) -> str:
        """Text on one line, without what no terminal and no database takes; longer text is cut."""
        value = self._text(name)
        return line(value[: most * 4])[:most].rstrip()

    def prose(self, name: str) -> str:
        """Text of many lines, which is searched only."""
        return self._text(name)[:LONGEST_TEXT]

    def needed(self, name: str, most: int = LONGEST_NAME) -> str:
        """Text that must be there and must not be cut, for something is found by it."""
        value = line(self._text(name))
        if not value:
            raise Malformed(self.at(name), "is missing")
        if len(value) > most:
            raise Malformed(self.at(name), f"is {len(value):,} characters long, more than {most:,}")
        return value

    def number(self, name: str) -> str:
        """An id that is a whole number, as text."""
        value = self.value.get(name)
        if type(value) is str and value.isascii() and value.isdigit() and len(value) <= 20:
            return value
        if type(value) is not int or value < 0 or value >= 10**20:
            raise Malformed(self.at(name), "is missing" if value is None else "must be a whole number")
        return str(value)

    def flag(self, name: str) -> bool:
        """A truth value; false when it is missing."""
        value = self.value.get(name)
        if value is not None and type(value) is not bool:
            raise Malformed(self.at(name), f"must be true or false, not {kind_of(value)}")
        return value is True

    def when(self, name: str) -> datetime:
        """A time that must be there, in UTC."""
        found = self.perhaps_when(name)
        if found is None:
            raise Malformed(self.at(name), "is missing" if self.value.get(name) is None else "is no time of our age")
        return found

    def perhaps_when(self, name: str) -> datetime | None:
        """A time as RFC 3339, as GitLab writes it (`2026-04-28 21:50:00 +0200`), or in whole seconds since 1970.

        None when it is missing, before 1990 or after 9000: a clock that was never set.
        """
        value = self.value.get(name)
        if value is None:
            return None
        if type(value) is int:
            return _moment(float(min(max(value, 0), 10**12)))
        text = self._text(name)
        found = _TIME.fullmatch(text.strip())
        if found is None:
            raise Malformed(
                self.at(name), f"must be a time with its zone, such as 2026-04-28T21:50:00Z, not {quoted(text)}"
            )
        return _read(found, self.at(name))

    def url(self, name: str) -> str:
        """A web address; empty for anything else."""
        text = self._text(name)
        fits = len(text) <= LONGEST_URL and text.isprintable() and " " not in text
        return text if fits and text.lower().startswith(("https://", "http://")) else ""

    def texts(self, name: str, most: int = LONGEST_NAME) -> list[str]:
        """The texts and whole numbers of a list, each on one line."""
        values = self.value.get(name)
        if values is None:
            return []
        if type(values) is not list:
            raise Malformed(self.at(name), f"must be a list, not {kind_of(values)}")
        told = [str(value) if type(value) is int and abs(value) < 10**20 else value for value in values[:MOST_ITEMS]]
        return [text for value in told if type(value) is str and (text := line(value[: most * 4])[:most])]

    def at(self, name: str) -> str:
        """The path to a field."""
        return f"{self.path}.{name}" if self.path else name

    def _text(self, name: str) -> str:
        value = self.value.get(name)
        if value is None:
            return ""
        if type(value) is not str:
            raise Malformed(self.at(name), f"must be text, not {kind_of(value)}")
        return value


def root(payload: object) -> Node:
    """The whole payload."""
    if type(payload) is not dict:
        raise Malformed("", f"must be an object, not {kind_of(payload)}")
    return Node(payload)


def json_node(text: str, path: str) -> Node:
    """An object that stands as text in the payload; empty when it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return Node(_NOTHING, path)
    return Node(value if type(value) is dict else _NOTHING, path)


def line(text: str) -> str:
    """On one line, without control characters and halves of characters."""
    if text.isprintable():
        return text.strip()
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def millis(node: Node, name: str) -> datetime:
    """A time in milliseconds since 1970, as a number or as text."""
    found = _moment(int(node.number(name)) / 1000)
    if found is None:
        raise Malformed(node.at(name), "is no time of our age, in milliseconds since 1970")
    return found


def _node(value: object, path: str) -> Node:
    if value is None:
        return Node(_NOTHING, path)
    if type(value) is not dict:
        raise Malformed(path, f"must be an object, not {kind_of(value)}")
    return Node(value, path)


def _moment(seconds: float) -> datetime | None:
    try:
        return _of_our_age(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        return None


def _read(found: re.Match[str], path: str) -> datetime | None:
    zone = found[4] if found[4][0] in "+-" else "+00:00"
    try:
        time = datetime.fromisoformat(f"{found[1]}T{found[2]}.{(found[3] or '0')[:6].ljust(6, '0')}{zone}")
    except ValueError:
        raise Malformed(path, f"is no time: {quoted(found[0])}") from None
    try:
        return _of_our_age(time.astimezone(UTC))
    except OverflowError:
        return None


def _of_our_age(time: datetime) -> datetime | None:
    return time if _EARLIEST <= time <= _LATEST else None
