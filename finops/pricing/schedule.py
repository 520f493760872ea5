"""Prices that change: which holds when, what a use of a while costs, and the same as PromQL.

A price changes at its moment: of usage that is known for an interval only, the part before it is paid at the old price
and the part after it at the new one, as if the use had been even within the interval.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Final

from controlplane.burn_rate import number, seconds
from finops.pricing.model import Price, Schedule

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS: Final = 50  # of sums and products of money; a price has at most 17
AS_IT_IS: Final = (Price(Decimal(1)),)
"""What is money already costs what it says."""


def price_at(schedule: Schedule, at: datetime) -> Price | None:
    """The price that holds at a moment; None where there is none."""
    return next((price for price, start, end in spans(schedule) if _is_within(at, start, end)), None)


def spans(schedule: Schedule) -> Iterator[tuple[Price, datetime | None, datetime | None]]:
    """Each price with the half-open time in which it holds."""
    for number_, price in enumerate(schedule):
        following = schedule[number_ + 1].start if number_ + 1 < len(schedule) else None
        ends = [end for end in (price.end, following) if end is not None]
        yield price, price.start, min(ends) if ends else None


def cost(schedule: Schedule, units: Decimal, start: datetime, end: datetime) -> Decimal | None:
    """What units that were used evenly in [start, end) cost; None when no price holds in any of it.

    Exact but for divisions that have no end, such as by `per` = 3, which are carried to 50 digits.
    """
    found = [(price, share) for price, share in shares(schedule, start, end) if share]
    if not found:
        return None
    with localcontext() as context:
        context.prec = _DIGITS
        return sum((units * share * price.amount / price.per for price, share in found), start=Decimal(0))


def unpriced_share(schedule: Schedule, start: datetime, end: datetime) -> Decimal:
    """The part of [start, end) in which no price holds: 0 … 1."""
    return 1 - sum((share for _, share in shares(schedule, start, end)), start=Decimal(0))


def shares(schedule: Schedule, start: datetime, end: datetime) -> Iterator[tuple[Price, Decimal]]:
    """Each price with its part of [start, end)."""
    length = seconds(end - start)
    for price, begins, ends in spans(schedule):
        first = start if begins is None else max(start, begins)
        last = end if ends is None else min(end, ends)
        if last > first:
            with localcontext() as context:
                context.prec = _DIGITS
                yield price, seconds(last - first) / length


def changes(schedule: Schedule) -> tuple[datetime, ...]:
    """The moments at which a price begins or ends."""
    moments = {moment for _, start, end in spans(schedule) for moment in (start, end) if moment is not None}
    return tuple(sorted(moments))


def unit_price(schedule: Schedule, interval: timedelta) -> str:
    """PromQL, a vector without labels: what a unit costs that was used in the `interval` that ends now.

    Absent while no price holds. Before and after a change the figure is what the user wrote, exactly: it is multiplied
    by 1 and others by 0.
    """
    found = list(spans(schedule))
    if len(found) == 1 and found[0][1:] == (None, None):
        return f"vector({_unit(found[0][0])})"
    terms = " + ".join(_term(price, start, end, interval) for price, start, end in found)
    known = known_share(schedule, interval)
    return f"({terms})" if known is None else f"(({terms}) and ({known}) > 0)"


def known_share(schedule: Schedule, interval: timedelta) -> str | None:
    """PromQL, a vector without labels: the part of the interval that ends now which has a price; None: all, always."""
    found = list(spans(schedule))
    if not found:
        return "vector(0)"
    joined = list(_joined(found))
    if joined == [(None, None)]:
        return None
    return " + ".join(_held(start, end, interval) for start, end in joined)


def _joined(
    found: list[tuple[Price, datetime | None, datetime | None]],
) -> Iterator[tuple[datetime | None, datetime | None]]:
    """The times with a price, those that touch as one."""
    begin, end = found[0][1], found[0][2]
    for _, start, stop in found[1:]:
        if start != end:
            yield begin, end
            begin = start
        end = stop
    yield begin, end


def _term(price: Price, start: datetime | None, end: datetime | None, interval: timedelta) -> str:
    held = _held(start, end, interval)
    return f"{_unit(price)} * {held}"


def _unit(price: Price) -> str:
    amount = number(price.amount)
    return amount if price.per == 1 else f"{amount} / {number(price.per)}"


def _held(start: datetime | None, end: datetime | None, interval: timedelta) -> str:
    """The part of the interval in which [start, end) holds, as a vector."""
    if end is None:
        return "vector(1)" if start is None else _passed(start, interval)
    ended = _passed(end, interval)
    return f"(1 - {ended})" if start is None else f"({_passed(start, interval)} - {ended})"


def _passed(moment: datetime, interval: timedelta) -> str:
    """The part of the interval that lies after a moment: 0 before it, 1 when all of it does."""
    since = number(seconds(moment - _EPOCH))
    return f"clamp(vector((time() - {since}) / {number(seconds(interval))}), 0, 1)"


def _is_within(at: datetime, start: datetime | None, end: datetime | None) -> bool:
    return (start is None or at >= start) and (end is None or at < end)
