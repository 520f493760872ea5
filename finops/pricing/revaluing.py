"""What a changed price map would have done to the past: the same usage, valued by the old map and by the new one.

Usage is asked of Prometheus again, every 5 minutes, a day at a time. Where it is forgotten and only prices differ, what
the old map's rules recorded is rescaled. Time for which neither is known is missing, and the result says how much of
the time is known. Sums are exact over the figures that Prometheus gave; series for replays are floats, as in there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from typing import Final

from controlplane import conventions as names
from controlplane.model.series import Series
from controlplane.ports import MetricsBackend
from finops.pricing.model import Item, PriceMap
from finops.pricing.reconciling import Key
from finops.pricing.valuing import FIVE_MINUTES, Labels, Past, Progress, Side, both_sides

_DIGITS: Final = 60  # of sums: nothing that Prometheus gives is rounded away
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


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
    progress: Progress = lambda _: None,
) -> Revaluation:
    """Value the usage of [start, end) by both; items that are the same in both are left out.

    `keep` are the labels that the series need beside price, resource and currency (those of budgets' scopes); None: all
    that prices keep. `ratios` are correction ratios by service and currency, applied to both sides. `start` and `end`
    are cut to whole 5 minutes. `progress` is told the share that is done, after each day of each item. Errors as in
    `MetricsBackend`.
    """
    start, end = _whole_steps(start), _whole_steps(end)
    with localcontext() as context:
        context.prec = _DIGITS
        return _revalued(_items(old), _items(new), Past(backend, start, end), keep, ratios or {}, progress)


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
    past: Past,
    keep: Sequence[str] | None,
    ratios: Mapping[Key, Decimal],
    progress: Progress,
) -> Revaluation:
    start, end = past.start, past.end
    differing = [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
    sides: dict[tuple[str, str], tuple[Side, Side]] = {}
    for name in differing:
        old, new = before.get(name), after.get(name)
        told = _part_of(progress, len(sides), len(differing))
        sides[name] = both_sides(old and old[0], new and new[0], past, told)
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


def _part_of(progress: Progress, done: int, of: int) -> Progress:
    return lambda share: progress((done + share) / of)


_Priced = tuple[Item, str]  # an item and its currency


def _items(price_maps: Sequence[PriceMap]) -> dict[tuple[str, str], _Priced]:
    """By name and currency: money of two currencies is never compared."""
    return {
        (item.name, price_map.currency): (item, price_map.currency)
        for price_map in price_maps
        for item in price_map.items
    }


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
