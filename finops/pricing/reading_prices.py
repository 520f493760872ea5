"""Prices as users write them, with everything that is wrong about their times and figures."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane.problems import Problem
from controlplane.specfile import Document
from finops.pricing.model import Price, Schedule
from finops.pricing.spec import PricePart

_TIME: Final = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[ T](?P<time>[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?P<offset>Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_SPAN: Final = re.compile(r"([1-9][0-9]{0,8})([smhdw])")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_YEARS: Final = range(2000, 2100)
_DIGITS: Final = 17  # that a rule can carry: Prometheus computes in float64
_SMALLEST: Final = Decimal("1e-30")  # what is below can only be a mistake, and would be written out as its zeros
_LONGEST: Final = timedelta(days=3660)
RULE: Final = "price"
_Path = tuple[str | int, ...]


def schedule_of(document: Document, path: _Path, written: Sequence[PricePart]) -> tuple[Schedule, list[Problem]]:
    """The prices, and what is wrong with them: then they are not all there."""
    problems: list[Problem] = []
    prices: list[Price] = []
    for index, part in enumerate(written):
        place = (*path, index)
        start, wrong_start = moment_of(document, (*place, "from"), part.from_)
        end, wrong_end = moment_of(document, (*place, "to"), part.to)
        wrong = [*wrong_start, *wrong_end, *digit_problems(document, (*place, "amount"), part.amount)]
        wrong += digit_problems(document, (*place, "per"), part.per)
        price = Price(part.amount, part.per, start, end)
        if not wrong:
            wrong = list(_order_problems(document, place, price, prices[-1] if prices else None))
        problems += wrong
        if not wrong:
            prices.append(price)
    return tuple(prices), problems


def moment_of(document: Document, path: _Path, text: str | None) -> tuple[datetime | None, list[Problem]]:
    """A time, in UTC where it says nothing else; a date is its first moment. None where none is written."""
    if text is None:
        return None, []
    match = _TIME.fullmatch(text)
    hint = "such as 2026-12-01, which begins at 00:00 UTC, or 2026-12-01T06:00+01:00"
    if match is None:
        return None, [document.problem(*path, message=f"`{text[:40]}` is not a date or time", hint=hint, rule=RULE)]
    offset = (match["offset"] or "Z").replace("Z", "+00:00")
    try:
        moment = datetime.fromisoformat(f"{match['date']}T{match['time'] or '00:00'}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        message = f"there is no {text[:40]}"
        return None, [document.problem(*path, message=message, hint=hint, rule=RULE)]
    if moment.year not in _YEARS:
        message = f"the year {moment.year} is out of range: {_YEARS.start} to {_YEARS.stop - 1}"
        return None, [document.problem(*path, message=message, rule=RULE)]
    return moment, []


def span_of(document: Document, path: _Path, text: str) -> tuple[timedelta, list[Problem]]:
    """A length such as 10m or 14d; with a problem it is zero."""
    match = _SPAN.fullmatch(text)
    if match is None:
        message = f"`{text[:40]}` is not a duration"
        hint = "a whole number and s, m, h, d or w, as in 10m"
        return timedelta(0), [document.problem(*path, message=message, hint=hint, rule=RULE)]
    seconds = int(match[1]) * _UNITS[match[2]]
    if seconds > _LONGEST.total_seconds():
        return timedelta(0), [document.problem(*path, message=f"`{text[:40]}` is more than ten years", rule=RULE)]
    return timedelta(seconds=seconds), []


def digit_problems(document: Document, path: _Path, value: Decimal) -> Iterator[Problem]:
    """A figure that a rule could not carry as it is written."""
    if value and abs(value) < _SMALLEST:
        message = f"is so close to 0 (below {_SMALLEST}) that it must be a mistake"
        yield document.problem(*path, message=message, hint="write 0 for what is free", rule=RULE)
    elif len(value.normalize().as_tuple().digits) > _DIGITS:
        message = f"has more than {_DIGITS} significant digits, which Prometheus cannot hold"
        yield document.problem(*path, message=message, hint="shorten it, or choose another `per`", rule=RULE)


def _order_problems(document: Document, place: _Path, price: Price, before: Price | None) -> Iterator[Problem]:
    if price.end is not None and price.start is not None and price.end <= price.start:
        yield document.problem(*place, "to", message="ends before it begins", rule=RULE)
    if before is None:
        return
    if price.start is None:
        message = "the second price with no `from`: from when on does it hold?"
        hint = "write `from:` with the day on which the price changes"
        yield document.problem(*place, message=message, hint=hint, rule=RULE)
    elif before.start is not None and price.start == before.start:
        message = f"two prices from {written(price.start)}: which one holds?"
        yield document.problem(*place, "from", message=message, hint="leave one of them out", rule=RULE)
    elif before.start is not None and price.start < before.start:
        message = f"out of order: begins before the price above it ({written(before.start)})"
        yield document.problem(*place, "from", message=message, hint="sort prices by `from`", rule=RULE)
    elif before.end is not None and price.start < before.end:
        message = f"overlaps the price above it, which ends {written(before.end)}"
        hint = "leave its `to` out: it ends where this one begins"
        yield document.problem(*place, "from", message=message, hint=hint, rule=RULE)


def written(moment: datetime) -> str:
    """A moment as users write it: the day, with its time where that is not midnight UTC."""
    return (
        f"{moment:%Y-%m-%d}" if moment.hour == moment.minute == moment.second == 0 else f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    )
