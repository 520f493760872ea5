"""Ledgers from a Prometheus-compatible backend, for many deployments at once."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from controlplane import conventions as names
from controlplane.model.series import Series
from controlplane.ports import MetricsBackend
from exporters.dora.effects import queries
from exporters.dora.effects.slots import LENGTH, Slots, Window
from exporters.unit_cost.model import UnitCost

SLOS_AT_ONCE: Final = 40  # of a week and two events each: 160,000 points an answer
_HOUR: Final = timedelta(hours=1)
_LENGTH_SECONDS: Final = LENGTH.total_seconds()
_Points = Mapping[float, float]


@dataclass(frozen=True, slots=True)
class RecordedSLO:
    """An SLO's ledger. `budgets` are (time, bad events that the period allows), `excluded` (time, exclusion)."""

    name: str
    period: str
    slots: Slots
    budgets: Sequence[tuple[datetime, float]] = ()
    excluded: Sequence[tuple[datetime, str]] = ()

    def budget(self, at: datetime) -> float | None:
        """The allowance as it stood then, or at the nearest time that is known; None when none is."""
        known = [(abs((when - at).total_seconds()), value) for when, value in self.budgets if 0 < value < math.inf]
        return min(known)[1] if known else None


@dataclass(frozen=True, slots=True)
class RecordedUnitCost:
    """A unit cost's ledger: money for units, which are counted in `per`."""

    unit_cost: UnitCost
    slots: Slots


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is known of services over a stretch of time, by service."""

    slos: Mapping[str, Sequence[RecordedSLO]] = field(default_factory=dict)
    unit_costs: Mapping[str, Sequence[RecordedUnitCost]] = field(default_factory=dict)


def fetch(
    metrics: MetricsBackend,
    services: Iterable[str],
    unit_costs: Sequence[UnitCost],
    past: datetime,
    looked_at: Window,
    now: datetime,
) -> Recorded:
    """Slots from `past` until the end of `looked_at`; budgets and exclusions of the latter only.

    A handful of queries for any number of services with at most 40 SLOs together. SLOs are those that are known then
    or `now`: ledgers that were computed for a time before Flyball came have nothing beside them that describes them.
    Raises `Transient`, `Permanent`.
    """
    wanted = sorted(set(services))
    span = Window(_whole(past), _whole(looked_at.end))
    return Recorded(_slos(metrics, wanted, span, looked_at, now), _unit_costs(metrics, wanted, unit_costs, span))


def _slos(
    metrics: MetricsBackend, services: Sequence[str], span: Window, looked_at: Window, now: datetime
) -> Mapping[str, Sequence[RecordedSLO]]:
    found: dict[str, list[RecordedSLO]] = defaultdict(list)
    moments = sorted({now, looked_at.end}, reverse=True) if services else ()
    known = {
        sample.labels.get(names.SLO, ""): (sample.labels.get(names.SERVICE, ""), sample.labels.get("window", ""))
        for at in moments
        for sample in metrics.query(queries.slos(services), at)
    }
    for chosen in _chunks(sorted(known)):
        events = _by_slo(metrics.query_range(queries.events(chosen), span.start, span.end, LENGTH))
        written = _written(metrics, names.LEDGER_EVENTS, names.SLO, chosen, span.end)
        budgets = _by_slo(metrics.query_range(queries.budgets(chosen), looked_at.start, looked_at.end, _HOUR))
        current = {each.labels.get(names.SLO, ""): each.value for each in metrics.query(queries.budgets(chosen), now)}
        excluded = _by_slo(metrics.query_range(queries.excluded(chosen), looked_at.start, looked_at.end, LENGTH))
        for name in chosen:
            service, period = known[name]
            slots = _pair(events.get(name, ()), written.get(name))
            points = [point for each in budgets.get(name, ()) for point in each.points]
            allowed = [*points, *([(now, current[name])] if name in current else [])]
            out = [
                (at, each.labels.get(names.EXCLUSION, "")) for each in excluded.get(name, ()) for at, _ in each.points
            ]
            found[service].append(RecordedSLO(name, period, slots, allowed, out))
    return found


def _pair(series: Iterable[Series], written: float | None) -> Slots:
    by_event = {each.labels.get(names.EVENT, ""): _points(each) for each in series}
    return _slots(by_event.get(names.EVENT_BAD, {}), by_event.get(names.EVENT_ALL, {}), written)


def _unit_costs(
    metrics: MetricsBackend, services: Sequence[str], unit_costs: Sequence[UnitCost], span: Window
) -> Mapping[str, Sequence[RecordedUnitCost]]:
    found: dict[str, list[RecordedUnitCost]] = defaultdict(list)
    for service in services:
        for each in unit_costs:
            labels = _labels_of(each, service)
            if labels is None:
                continue
            written = _written(metrics, names.UNIT_COST_UNITS_LEDGER, names.UNIT_COST, [each.name], span.end)
            money, units = (
                [*metrics.query_range(query(each.name, labels), span.start, span.end, LENGTH)]
                for query in (queries.money, queries.units)
            )
            per = float(each.per)
            counted = {at: value / per for at, value in (_points(units[0]) if units else {}).items()}
            slots = _slots(_points(money[0]) if money else {}, counted, written.get(each.name))
            found[service].append(RecordedUnitCost(each, slots))
    return found


def _labels_of(unit_cost: UnitCost, service: str) -> Mapping[str, str] | None:
    """By what the service's part of a unit cost is told; None when it has none."""
    if names.SERVICE in unit_cost.by:
        return {names.SERVICE: service}
    return {} if service in dict(unit_cost.scope).get(names.SERVICE, ()) else None


def _written(
    metrics: MetricsBackend, metric: str, label: str, chosen: Sequence[str], at: datetime
) -> Mapping[str, float]:
    found = metrics.query(queries.written_at(metric, label, chosen), at)
    return {each.labels.get(label, ""): each.value for each in found if math.isfinite(each.value)}


def _slots(part: _Points, whole: _Points, written: float | None) -> Slots:
    """At a step an answer shows the entry before it, which was written at its ledger's own moment of five minutes."""
    moment = (written or 0.0) % _LENGTH_SECONDS
    return Slots.of((at - (at - moment) % _LENGTH_SECONDS, part[at], whole[at]) for at in part.keys() & whole.keys())


def _points(series: Series) -> _Points:
    return {at.timestamp(): value for at, value in series.points}


def _by_slo(series: Iterable[Series]) -> Mapping[str, list[Series]]:
    found: dict[str, list[Series]] = defaultdict(list)
    for each in series:
        found[each.labels.get(names.SLO, "")].append(each)
    return found


def _chunks(chosen: Sequence[str]) -> Iterable[Sequence[str]]:
    rest = iter(chosen)
    while part := list(islice(rest, SLOS_AT_ONCE)):
        yield part


def _whole(at: datetime) -> datetime:
    """The next whole five minutes."""
    over = at.timestamp() % _LENGTH_SECONDS
    return at + timedelta(seconds=_LENGTH_SECONDS - over) if over else at
