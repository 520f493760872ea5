"""The usage of the past, valued by one price map or by two: asked of Prometheus every 5 minutes, a day at a time."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane import conventions as names
from controlplane.model.series import Series
from controlplane.ports import MetricsBackend
from finops.pricing import expressions
from finops.pricing.model import Item, Schedule
from finops.pricing.schedule import AS_IT_IS, changes, cost, price_at, unpriced_share
from finops.pricing.selectors import quoted

FIVE_MINUTES: Final = timedelta(minutes=5)
_A_DAY: Final = timedelta(days=1)
_STEPS_AN_HOUR: Final = 12
Labels = tuple[tuple[str, str], ...]
Points = Sequence[tuple[datetime, float]]
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Past:
    """What is asked, about [start, end)."""

    backend: MetricsBackend
    start: datetime
    end: datetime


@dataclass(slots=True)
class Side:
    """One price map's view of an item: money by service, units without a price, and 5-minute money by labels."""

    by_service: dict[str, Decimal] = field(default_factory=dict)
    unpriced: Decimal = Decimal(0)
    series: dict[Labels, dict[datetime, float]] = field(default_factory=dict)
    known: set[datetime] = field(default_factory=set)


def both_sides(old: Item | None, new: Item | None, past: Past, told: Progress) -> tuple[Side, Side]:
    """Both sides of an item; usage that both measure alike is asked for once."""
    sides = (Side(), Side())
    there = [each for each in (old, new) if each is not None]
    alike = len(there) == 2 and expression(there[0]) == expression(there[1])
    at = past.start
    while at < past.end:
        following = min(at + _A_DAY, past.end)
        found = [_usage(item, past.backend, at, following) for item in (there[:1] if alike else there)]
        found = found * 2 if alike else found
        if alike and not found[0]:
            _rescale(there, sides, past.backend, at, following)
        else:
            usages = iter(found)
            for each, side in zip((old, new), sides, strict=True):
                if each is not None:
                    _value(each, side, next(usages))
        at = following
        told((at - past.start) / (past.end - past.start))
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
        add(item, side, series.labels, points, _schedule(item, series.labels))


def _schedule(item: Item, labels: Mapping[str, str]) -> Schedule:
    if item.catalogue is None:
        return AS_IT_IS if _is_money(item) else item.schedule
    wanted = (labels.get(names.MODEL, ""), labels.get(names.TOKEN_TYPE, ""))
    return next((price.schedule for price in item.catalogue.prices if (price.model, price.token_type) == wanted), ())


def add(item: Item, side: Side, labels: Mapping[str, str], points: Points, schedule: Schedule) -> None:
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
            add(item, side, series.labels, units, item.schedule)


def _key(item: Item, labels: Mapping[str, str]) -> Labels:
    """The labels of a spend: what the item keeps, and what it says itself."""
    kept = {label: labels[label] for label in _kept_labels(item) if labels.get(label)}
    resource = labels.get(names.RESOURCE, item.resource) if item.opencost is not None else item.resource
    own = {names.PRICE: item.name, names.RESOURCE: resource, **dict(item.labels)}
    return tuple(sorted((kept | own).items()))


def _kept_labels(item: Item) -> tuple[str, ...]:
    nodes = item.opencost.node_labels if item.opencost is not None else ()
    return (*item.by, *nodes, *((names.SERVICE,) if item.opencost is not None else ()))
