"""Text of a ladder as lines of at most 80 columns, and how its figures are told."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from controlplane import wording
from finops.ladder.model import Ladder
from finops.ladder.readings import Quality, Reading

WIDTH: Final = 80
_LABEL: Final = 11
_WIDEST: Final = 32
_SHORT: Final = 6
Field = tuple[str, str]


def block(title: str, fields: Iterable[Field]) -> Iterator[str]:
    """A title and labelled texts below it; a label that repeats the one before is left out."""
    yield from wrapped(title, "", "    ")
    before = ""
    for label, text in fields:
        yield from wrapped(text, f"  {'' if label == before else label:<{_LABEL}}", " " * (_LABEL + 2))
        before = label


def wrapped(text: str, first: str = "", following: str = "") -> Sequence[str]:
    """Lines of at most 80 columns, where words allow it. Commands are not broken at their hyphens."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    return textwrap.wrap(
        shown, WIDTH, initial_indent=first, subsequent_indent=following, break_long_words=True, break_on_hyphens=False
    ) or [first.rstrip()]


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as what stands in them, up to a bound; the last one takes what is left, in lines of its own."""
    widths = [min(max(len(row[n]) for row in [header, *rows]), _WIDEST) for n in range(len(header) - 1)]
    for row in [header, *rows]:
        start = "  " + "".join(f"{fitting(cell, width):<{width}}  " for cell, width in zip(row, widths, strict=False))
        yield from (line.rstrip() for line in wrapped(row[-1], start, " " * len(start)))


def fitting(text: str, width: int) -> str:
    """Cut to a width, told by `…`."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    return shown if len(shown) <= width else shown[: max(width - 1, 0)] + "…"


def number(value: Decimal) -> str:
    """As it stands while it is short, else four significant digits."""
    exact = format(value.normalize(), "f") if value.is_finite() else str(value)
    return exact if len(exact) <= _SHORT else wording.significant(float(value), 4)


def tier_in_words(ladder: Ladder | None, tier: int) -> str:
    """`tier 2 of 6 (throttle)`, `full service`; without the file only the number."""
    if tier == 0:
        return "full service"
    declared = ladder.tier(tier) if ladder else None
    if ladder is None or declared is None:
        return f"tier {tier} (not declared any more)"
    return f"tier {tier} of {ladder.top} ({declared.name})"


def reading_in_words(reading: Reading) -> str:
    """`2.4`, or what is wrong with it: `stale (10 min old)`."""
    if reading.quality is Quality.GOOD and reading.value is not None:
        return number(reading.value)
    return f"{reading.quality.value} ({reading.reason})" if reading.reason else reading.quality.value


def ago(at: datetime, now: datetime) -> str:
    """`12 s ago`; of a clock that is ahead `just now`."""
    return "just now" if now <= at else f"{wording.duration(now - at)} ago"
