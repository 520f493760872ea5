"""Everything that explains a change of spend: effects, what was changed meanwhile, and traces."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeVar

from controlplane import conventions as names
from controlplane.model.spend import Ledger
from controlplane.ports import CostLedger, MetricsBackend, Permanent, Store, Transient
from finops.explain.changes import fetch_changes, fetch_versions, joined
from finops.explain.driving import fetch_drivers
from finops.explain.model import Change, Drivers, Explanation, Trace
from finops.explain.ports import ExemplarSource
from finops.explain.quantities import Quantities, fetch_quantities
from finops.explain.tables import Asked, explanations, fetch_tables
from finops.explain.tracing import fetch_traces
from finops.pricing.model import PriceMap

log = logging.getLogger(__name__)
_Found = TypeVar("_Found")
_NO_CHANGES: Final[tuple[Change, ...]] = ()
_NO_TRACES: Final[tuple[Trace, ...]] = ()


@dataclass(frozen=True, slots=True)
class Outside:
    """What there is to ask. Without metrics there are no drivers, versions and traces; without a store no events.

    `price_maps` are those that made the estimates: by them quantities of live spend are found.
    """

    ledger: CostLedger
    metrics: MetricsBackend | None = None
    exemplars: ExemplarSource | None = None
    store: Store | None = None
    price_maps: Callable[[], Sequence[PriceMap]] = tuple


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. `missing` says what could not be asked, in words; `complete_until` how far the ledger goes."""

    asked: Asked
    explanations: tuple[Explanation, ...]
    changes: tuple[Change, ...] = ()
    traces: tuple[Trace, ...] = ()
    missing: tuple[str, ...] = ()
    complete_until: datetime | None = None

    @property
    def is_covered(self) -> bool:
        """Whether the ledger reaches to the end of the later period."""
        return self.complete_until is not None and self.complete_until >= self.asked.periods.end


def explain(
    outside: Outside, asked: Asked, *, driver: str = "", progress: Callable[[float], None] = lambda share: None
) -> Report:
    """Explain a change. `driver` is PromQL of what the spend is for, with `$__window` for the length of the periods.

    `progress` is told the share that is done. Raises what the ledger raises, and what Prometheus says of the driver.
    What else cannot be asked is said in the report, which is worth having without it.
    """
    missing: list[str] = []
    tables = fetch_tables(outside.ledger, asked)
    progress(0.2)
    tables = replace(tables, quantities=_quantities(outside, asked, missing, progress))
    drivers = Drivers()
    if driver and outside.metrics is not None:
        drivers = fetch_drivers(outside.metrics, driver, asked.periods, asked.by)
    found = explanations(tables, drivers)
    progress(0.9)
    changes = _changes(outside, asked, missing)
    traces = _traces(outside, asked, found, missing)
    return Report(asked, found, changes, traces, tuple(missing), tables.after.complete_until)


def _quantities(
    outside: Outside, asked: Asked, missing: list[str], progress: Callable[[float], None]
) -> tuple[Quantities, Quantities]:
    """Of live estimates: the bill has its own."""
    if outside.metrics is None or asked.ledger is not Ledger.ESTIMATED:
        return {}, {}
    periods, price_maps = asked.periods, outside.price_maps()
    found: list[Quantities] = []
    for period in ((periods.against_start, periods.against_end), (periods.start, periods.end)):
        asked_of = (outside.metrics, price_maps, asked.dimensions, asked.where, period, missing)
        found.append(fetch_quantities(*asked_of))
        progress(0.2 + 0.3 * len(found))
    return found[0], found[1]


def _changes(outside: Outside, asked: Asked, missing: list[str]) -> tuple[Change, ...]:
    """From the begin of the earlier period on: what was changed in it shows in the later one."""
    start, end = asked.periods.against_start, asked.periods.end
    told, seen = _NO_CHANGES, _NO_CHANGES
    if (store := outside.store) is not None:
        told = _or_missing(lambda: fetch_changes(store, start, end), _NO_CHANGES, "the event log", missing)
    if (metrics := outside.metrics) is not None:
        seen = _or_missing(lambda: fetch_versions(metrics, start, end), _NO_CHANGES, "versions of services", missing)
    return joined(told, seen)


def _traces(outside: Outside, asked: Asked, found: Sequence[Explanation], missing: list[str]) -> tuple[Trace, ...]:
    """Of the services that moved most."""
    if (source := outside.exemplars) is None or names.SERVICE not in asked.by:
        return ()
    at = asked.by.index(names.SERVICE)
    services = [mover.group[at] for each in found for mover in each.groups if mover.change]
    named = [service for service in dict.fromkeys(services) if service]
    return _or_missing(lambda: fetch_traces(source, named, asked.periods), _NO_TRACES, "exemplars", missing)


def _or_missing(fetch: Callable[[], _Found], otherwise: _Found, what: str, missing: list[str]) -> _Found:
    try:
        return fetch()
    except (Transient, Permanent) as error:
        log.info("finops.explain_without", extra={"what": what, "error": str(error)})
        missing.append(f"{what}: {error}")
        return otherwise
