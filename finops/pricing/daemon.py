"""Compares the two ledgers once in a while, and tells Prometheus by what the estimate is corrected."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from controlplane import conventions as names
from controlplane.model.spend import SpendQuestion
from controlplane.ports import CostLedger, MetricsBackend
from finops.pricing.estimated import EstimatedLedger
from finops.pricing.model import BilledNames, Correction, PriceMap
from finops.pricing.reconciling import STANDARD, Compared, Key, Outcome, Reconciliation, Rules, reconcile

_A_DAY: Final = timedelta(days=1)
log = logging.getLogger(__name__)


@dataclass(slots=True)
class ReconciliationDaemon:
    """Billed ÷ estimated by service. `latest` is what the last turn found, for the collector and for pages."""

    billed: CostLedger
    backend: MetricsBackend
    rules: Rules = STANDARD
    latest: Reconciliation | None = field(default=None, init=False)

    def run_once(self, price_maps: Sequence[PriceMap], now: datetime) -> Reconciliation:
        """Ask both ledgers and compare. Raises what they raise, and then keeps what it knew.

        The price maps of one currency are compared together, by the names and the narrowest bounds of all of them.
        What is billed in a currency that none of them has, nobody estimates: it is told as such.
        """
        previous = self.latest.ratios if self.latest else self._published(now)
        found: dict[Key, Compared] = {}
        for currency in sorted({price_map.currency for price_map in price_maps}):
            alike = [price_map for price_map in price_maps if price_map.currency == currency]
            for each in self._compared(alike, previous, now).services:
                key = (each.service, each.currency)
                if each.currency == currency:
                    found[key] = each
                else:
                    found.setdefault(key, each)
        services = sorted(found.values(), key=lambda each: (each.currency, each.service))
        self.latest = Reconciliation(now, tuple(services))
        _log(self.latest)
        return self.latest

    def _compared(
        self, price_maps: Sequence[PriceMap], previous: Mapping[Key, Decimal], now: datetime
    ) -> Reconciliation:
        belief, called = narrowest(price_maps), together(price_maps)
        end = now.replace(hour=0, minute=0, second=0, microsecond=0)
        billed = tuple(item.name for each in price_maps for item in each.items if item.is_billed)
        start = end - belief.longest_age - self.rules.days * _A_DAY
        ours = EstimatedLedger(self.backend, names.ESTIMATE_LEDGER)
        return reconcile(
            self.billed.spend(SpendQuestion(start, end, ("day", called.dimension))),
            ours.spend(SpendQuestion(start, end, ("day", names.SERVICE), {names.PRICE: billed})),
            coverage=ours.coverage(start, end),
            called=called,
            belief=belief,
            previous=previous,
            now=now,
            rules=self.rules,
        )

    def _published(self, now: datetime) -> Mapping[Key, Decimal]:
        """What was told before we started, so that a restart changes no ratio by a hair."""
        kept = f"max by ({names.SERVICE}, {names.CURRENCY}) (last_over_time({names.CORRECTION_RATIO}[1d])) > 0"
        return {
            (each.labels.get(names.SERVICE, ""), each.labels.get(names.CURRENCY, "")): Decimal(repr(each.value))
            for each in self.backend.query(kept, now)
        }


def narrowest(price_maps: Sequence[PriceMap]) -> Correction:
    """The bounds that all of them believe in."""
    beliefs = [price_map.correction for price_map in price_maps]
    return Correction(
        max(belief.lowest for belief in beliefs),
        min(belief.highest for belief in beliefs),
        min(belief.longest_age for belief in beliefs),
    )


def together(price_maps: Sequence[PriceMap]) -> BilledNames:
    """What the bill calls the services of all of them, by the dimension of the first that says one."""
    called = [price_map.billed for price_map in price_maps]
    dimension = next((each.dimension for each in called if each.dimension != names.SERVICE), names.SERVICE)
    return BilledNames(dimension, tuple(pair for each in called for pair in each.services))


def _log(found: Reconciliation) -> None:
    for each in found.services:
        if each.outcome is Outcome.UNBELIEVABLE:
            log.warning(
                "finops.unbelievable_ratio",
                extra={"service": each.service, "currency": each.currency, "billed": str(each.billed)},
            )
    log.info("finops.reconciled", extra={"services": len(found.services), "corrected": len(found.ratios)})


class ReconciliationCollector(Collector):
    """What Prometheus scrapes of the latest turn: ratios, how old the bill behind them is, and what was found.

    A ratio is told until the next turn; the rules stop believing it by the age of the bill behind it.
    """

    def __init__(self, daemon: ReconciliationDaemon) -> None:
        self._daemon = daemon

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Gauges by service and currency, and numbers of services by outcome."""
        of_service = (names.SERVICE, names.CURRENCY)
        ratio = GaugeMetricFamily(names.CORRECTION_RATIO, "Billed ÷ estimated cost.", labels=of_service)
        until = GaugeMetricFamily(
            names.CORRECTION_AT, "End of the last billed day that the ratio rests on.", labels=of_service
        )
        outcomes = GaugeMetricFamily(
            names.RECONCILED, "Services by how the ledgers compare.", labels=(names.CURRENCY, "outcome")
        )
        counts: dict[tuple[str, str], int] = {}
        for each in self._daemon.latest.services if self._daemon.latest else ():
            key = (each.currency, each.outcome.value)
            counts[key] = counts.get(key, 0) + 1
            if each.ratio is not None and each.until is not None and each.service:
                ratio.add_metric((each.service, each.currency), float(each.ratio))
                until.add_metric((each.service, each.currency), each.until.timestamp())
        for labels, count in sorted(counts.items()):
            outcomes.add_metric(labels, count)
        yield from (ratio, until, outcomes)
