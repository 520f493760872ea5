"""What is wrong with an event that somebody sent: where, which field, why."""

from dataclasses import dataclass
from typing import Final

MOST_TOLD: Final = 100  # of one delivery; the rest is counted
_LONGEST_FIELD: Final = 200  # characters


@dataclass(frozen=True, slots=True)
class Fault:
    """`place` is `event 3` (from 0) or `line 17` (from 1), empty for the body; `field` such as `data.tokens`."""

    place: str
    field: str
    reason: str

    def __str__(self) -> str:
        where = ": ".join(part for part in (self.place, self.field) if part)
        return f"{where}: {self.reason}" if where else self.reason


class Malformed(Exception):
    """An event, or a whole body, that cannot be taken."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = _short(field)
        self.reason = reason

    def at(self, place: str) -> Fault:
        """The fault of the event at a place."""
        return Fault(place, self.field, self.reason)


def _short(field: str) -> str:
    """A path as it may be shown: keys come from outside, and may be long, or hold anything."""
    bounded = field if len(field) <= _LONGEST_FIELD else f"{field[:_LONGEST_FIELD]}…"
    return bounded if bounded.isprintable() else "".join(each if each.isprintable() else "�" for each in bounded)


def kind_of(value: object) -> str:
    """What a JSON value is, in words."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def quoted(text: str) -> str:
    """Text from outside, short and on one line."""
    shown = "".join(character if character.isprintable() else "�" for character in text[:40])
    return f"`{shown}…`" if len(text) > 40 else f"`{shown}`"
