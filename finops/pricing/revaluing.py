"""What a changed price map would have done to the past: the same usage, valued by the old map and by the new one.

Usage is asked of Prometheus again, every 5 minutes, a day at a time. Where it is forgotten and only prices differ, what
the old map's rules recorded is rescaled. Time for which neither is known is missing, and the result says how much of
the time is known. Sums are exact over the figures that Prometheus gave; series for replays are floats, as in there.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Final

from controlplane import conventions as names
from controlplane.model.series import Series
from controlplane.ports import MetricsBackend
from finops.pricing import expressions
from finops.pricing.model import Item, PriceMap, Schedule
from finops.pricing.reconciling import Key
from finops.pricing.schedule import AS_IT_IS, changes, cost, price_at, unpriced_share
from finops.pricing.selectors import quoted

FIVE_MINUTES: Final = timedelta(minutes=5)
_A_DAY: Final = timedelta(days=1)
_STEPS_AN_HOUR: Final = 12
_DIGITS: Final = 60  # of sums: nothing that Prometheus gives is rounded away
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
Labels = tuple[tuple[str, str], ...]
Points = Sequence[tuple[datetime, float]]


@dataclass(slots=True)
class Side:
    """One price map's view of an item: money by service, units without a price, and 5-minute money by labels."""

    by_service: dict[str, Decimal] = field(default_factory=dict)
    unpriced: Decimal = Decimal(0)
    series: dict[Labels, dict[datetime, float]] = field(default_factory=dict)
    known: set[datetime] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class RevaluedRow:
    """An item and a service ('' where there is none). None: the map has no such item, or nothing is known."""

    item: str
    service: str
    currency: str
    old: Decimal | None
    new: Decimal | None


@dataclass(frozen=True, slots=True)
class RevaluedItem:
    """An item as a whole. `known` is the share of the time for which its usage is known, the better of both maps'.

    `unpriced` are units that the new map has no price for.
    """

    item: str
    currency: str
    old: Decimal | None
    new: Decimal | None
    known: Decimal
    unpriced: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Revaluation:
    """The usage of [start, end) under two sets of price maps.

    `old_series` and `new_series` are money by 5 minutes, at their ends: labels price, resource, currency and what was
    to be kept. They are what `cost:spend:ledger5m` would have held.
    """

    start: datetime
    end: datetime
    rows: tuple[RevaluedRow, ...]
    items: tuple[RevaluedItem, ...]
    old_series: tuple[Series, ...] = ()
    new_series: tuple[Series, ...] = ()


def revalue(
    old: Sequence[PriceMap],
    new: Sequence[PriceMap],
    backend: MetricsBackend,
    *,
    start: datetime,
    end: datetime,
    keep: Sequence[str] | None = None,
    ratios: Mapping[Key, Decimal] | None = None,
) -> Revaluation:
    """Value the usage of [start, end) by both; items that are the same in both are left out.

    `keep` are the labels that the series need beside price, resource and currency (those of budgets' scopes); None: all
    that prices keep. `ratios` are correction ratios by service and currency, applied to both sides. Errors as in
    `MetricsBackend`. `start` and `end` are cut to whole 5 minutes.
    """
    start, end = _whole_steps(start), _whole_steps(end)
    with localcontext() as context:
        context.prec = _DIGITS
        return _revalued(_items(old), _items(new), backend, (start, end), keep, ratios or {})


def change_by_time(found: Revaluation, fits: Callable[[Mapping[str, str]], bool]) -> Mapping[datetime, Decimal]:
    """New − old by 5 minutes, of series whose labels fit: what to add to a budget's recorded spend."""
    change: dict[datetime, Decimal] = {}
    for sign, side in ((1, found.new_series), (-1, found.old_series)):
        for series in side:
            if fits(series.labels):
                for at, value in series.points:
                    change[at] = change.get(at, Decimal(0)) + sign * Decimal(repr(value))
    return change


def _revalued(
    before: Mapping[tuple[str, str], "_Priced"],
    after: Mapping[tuple[str, str], "_Priced"],
    backend: MetricsBackend,
    span: tuple[datetime, datetime],
    keep: Sequence[str] | None,
    ratios: Mapping[Key, Decimal],
) -> Revaluation:
    start, end = span
    differing = [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
    sides = {name: _both(before.get(name), after.get(name), backend, start, end) for name in differing}
    rows: list[RevaluedRow] = []
    items: list[RevaluedItem] = []
    series: tuple[list[Series], list[Series]] = ([], [])
    for name, (one, two) in sides.items():
        for there, side, into in zip((before.get(name), after.get(name)), (one, two), series, strict=True):
            if there is not None:
                _correct(side, there[1], ratios)
                into.extend(_folded(side, there[0], there[1], keep))
        rows += _rows(*name, one, two)
        items.append(_whole(name, (one, two), (end - start) // FIVE_MINUTES, (name in before, name in after)))
    return Revaluation(start, end, tuple(rows), tuple(items), tuple(series[0]), tuple(series[1]))


_Priced = tuple[Item, str]  # an item and its currency


def _items(price_maps: Sequence[PriceMap]) -> dict[tuple[str, str], _Priced]:
    """By name and currency: money of two currencies is never compared."""
    return {
        (item.name, price_map.currency): (item, price_map.currency)
        for price_map in price_maps
        for item in price_map.items
    }


def _both(
    old: _Priced | None, new: _Priced | None, backend: MetricsBackend, start: datetime, end: datetime
) -> tuple[Side, Side]:
    """Both sides of an item; usage that both measure alike is asked for once."""
    sides = (Side(), Side())
    there = [each[0] for each in (old, new) if each is not None]
    alike = len(there) == 2 and expression(there[0]) == expression(there[1])
    at = start
    while at < end:
        following = min(at + _A_DAY, end)
        found = [_usage(item, backend, at, following) for item in (there[:1] if alike else there)]
        found = found * 2 if alike else found
        if alike and not found[0]:
            _rescale(there, sides, backend, at, following)
        else:
            usages = iter(found)
            for each, side in zip((old, new), sides, strict=True):
                if each is not None:
                    _value(each[0], side, next(usages))
        at = following
    return sides


def expression(item: Item) -> str:
    """What is asked of Prometheus: units, or money where no price of ours decides.

    Nodes are looked at once in 5 minutes, where the rules do so every minute: a month of that would take Prometheus a
    minute of work, and their sum hardly changes.
    """
    if item.opencost is not None:
        return f"({expressions.hourly(item)}) / {_STEPS_AN_HOUR}"
    return expressions.spend_over_past(item) if item.is_money else expressions.units_over_past(item)


def _is_money(item: Item) -> bool:
    return item.is_money or item.opencost is not None


def _usage(item: Item, backend: MetricsBackend, start: datetime, end: datetime) -> list[Series]:
    return backend.query_range(expression(item), start + FIVE_MINUTES, end, FIVE_MINUTES)


def _value(item: Item, side: Side, usage: Sequence[Series]) -> None:
    for series in usage:
        points = [(at, value) for at, value in series.points if math.isfinite(value)]
        _add(item, side, series.labels, points, _schedule(item, series.labels))


def _schedule(item: Item, labels: Mapping[str, str]) -> Schedule:
    if item.catalogue is None:
        return AS_IT_IS if _is_money(item) else item.schedule
    wanted = (labels.get(names.MODEL, ""), labels.get(names.TOKEN_TYPE, ""))
    return next((price.schedule for price in item.catalogue.prices if (price.model, price.token_type) == wanted), ())


def _add(item: Item, side: Side, labels: Mapping[str, str], points: Points, schedule: Schedule) -> None:
    """Value one series' units."""
    if not points:
        return
    side.known.update(at for at, _ in points)
    key = _key(item, labels)
    service = dict(key).get(names.SERVICE, "")
    money = side.series.setdefault(key, {})
    for stretch in _stretches(points, schedule):
        begins, ends = stretch[0][0] - FIVE_MINUTES, stretch[-1][0]
        units = _exactly(value for _, value in stretch)
        paid = cost(schedule, units, begins, ends) if schedule else None
        if paid is None:
            side.unpriced += units
            continue
        side.unpriced += units * unpriced_share(schedule, begins, ends)
        side.by_service[service] = side.by_service.get(service, Decimal(0)) + paid
        each = float(cost(schedule, Decimal(1), begins, ends) or 0)
        for at, value in stretch:
            money[at] = money.get(at, 0.0) + value * each


def _stretches(points: Points, schedule: Schedule) -> Iterator[list[tuple[datetime, float]]]:
    """Points in runs for which one price holds; a point in whose 5 minutes a price changes by itself."""
    moments = changes(schedule)
    run: list[tuple[datetime, float]] = []
    for point in points:
        at = point[0]
        changed = any(at - FIVE_MINUTES < moment < at for moment in moments)
        parted = run and any(run[-1][0] <= moment <= at - FIVE_MINUTES for moment in moments)
        if run and (changed or parted):
            yield run
            run = []
        if changed:
            yield [point]
        else:
            run.append(point)
    if run:
        yield run


def _exactly(values: Iterator[float]) -> Decimal:
    return sum((Decimal(repr(value)) for value in values), start=Decimal(0))


def _rescale(
    items: Sequence[Item], sides: tuple[Side, Side], backend: MetricsBackend, start: datetime, end: datetime
) -> None:
    """From the old map's ledger, where usage is forgotten: money ÷ old price × new price."""
    old, new = items
    if old.catalogue is not None or new.catalogue is not None or _is_money(old):
        return
    ledger = f"{names.ESTIMATE_LEDGER}{{{names.PRICE}={quoted(old.name)}}}"
    recorded = backend.query_range(ledger, start + FIVE_MINUTES, end, FIVE_MINUTES)
    for series in recorded:
        units = []
        for at, value in series.points:
            price = price_at(old.schedule, at - FIVE_MINUTES / 2)
            if price is not None and price.amount and math.isfinite(value):
                units.append((at, value * float(price.per) / float(price.amount)))
        for item, side in zip(items, sides, strict=True):
            _add(item, side, series.labels, units, item.schedule)


def _key(item: Item, labels: Mapping[str, str]) -> Labels:
    """The labels of a spend: what the item keeps, and what it says itself."""
    kept = {label: labels[label] for label in _kept_labels(item) if labels.get(label)}
    resource = labels.get(names.RESOURCE, item.resource) if item.opencost is not None else item.resource
    own = {names.PRICE: item.name, names.RESOURCE: resource, **dict(item.labels)}
    return tuple(sorted((kept | own).items()))


def _kept_labels(item: Item) -> tuple[str, ...]:
    nodes = item.opencost.node_labels if item.opencost is not None else ()
    return (*item.by, *nodes, *((names.SERVICE,) if item.opencost is not None else ()))


def _correct(side: Side, currency: str, ratios: Mapping[Key, Decimal]) -> None:
    for service in side.by_service:
        side.by_service[service] *= ratios.get((service, currency), Decimal(1))
    for labels, money in side.series.items():
        ratio = ratios.get((dict(labels).get(names.SERVICE, ""), currency))
        if ratio is not None:
            for at in money:
                money[at] *= float(ratio)


def _folded(side: Side, item: Item, currency: str, keep: Sequence[str] | None) -> Iterator[Series]:
    """The series by the labels to keep."""
    wanted = None if keep is None else {names.PRICE, names.RESOURCE, *keep}
    folded: dict[Labels, dict[datetime, float]] = {}
    for labels, money in side.series.items():
        key = tuple(pair for pair in labels if wanted is None or pair[0] in wanted)
        into = folded.setdefault(key, {})
        for at, value in money.items():
            into[at] = into.get(at, 0.0) + value
    for key in sorted(folded):
        if folded[key]:
            yield Series({**dict(key), names.CURRENCY: currency}, tuple(sorted(folded[key].items())))


def _whole_steps(moment: datetime) -> datetime:
    return moment - (moment - _EPOCH) % FIVE_MINUTES


def _rows(name: str, currency: str, old: Side, new: Side) -> Iterator[RevaluedRow]:
    for service in sorted(old.by_service.keys() | new.by_service.keys()):
        yield RevaluedRow(name, service, currency, old.by_service.get(service), new.by_service.get(service))


def _whole(name: tuple[str, str], sides: tuple[Side, Side], expected: int, there: tuple[bool, bool]) -> RevaluedItem:
    sums = [
        sum(side.by_service.values(), start=Decimal(0)) if has and side.by_service else None
        for side, has in zip(sides, there, strict=True)
    ]
    known = Decimal(max(len(side.known) for side in sides)) / max(expected, 1)
    return RevaluedItem(*name, sums[0], sums[1], min(known, Decimal(1)), sides[1].unpriced)
