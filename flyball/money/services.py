"""Everything about money that is done again and again in one process, and what Prometheus scrapes of it."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from prometheus_client.registry import Collector

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.prometheus_exemplars import PrometheusExemplars
from controlplane.model.budget import Budget
from controlplane.model.spend import Ledger
from controlplane.ports import Clock, CostLedger
from controlplane.store import SqlStore
from exporters.usage.collector import UsageCollector
from exporters.usage.daemon import run_once as turn_usage
from exporters.usage.recorded_slo import RecordedSLO
from exporters.usage.terms import UsageTerms
from finops.billed.adapters.duckdb_ledger import open_ledger
from finops.billed.adapters.importer import Importer
from finops.billed.daemon import BilledCollector, BilledDaemon
from finops.billed.events import events_since
from finops.explain.daemon import CostIssueDaemon
from finops.explain.explaining import Outside
from finops.forecast.daemon import ForecastCollector, ForecastDaemon
from finops.pricing.daemon import ReconciliationCollector, ReconciliationDaemon
from finops.pricing.estimated import EstimatedLedger
from finops.pricing.model import PriceMap
from flyball.money.billed import LiveBilledLedger
from flyball.money.declared import MoneyDeclared
from flyball.money.discovered import DiscoveredModels
from flyball.scheduler import Job, Turn
from flyball.settings import variables_of

FORECAST_EVERY: Final = timedelta(seconds=30)  # it has work to do every 10 minutes, or when budgets change
RECONCILE_EVERY: Final = timedelta(minutes=10)
BILLS_EVERY: Final = timedelta(minutes=10)
IMPORTS_TOLD_FOR: Final = timedelta(days=1)  # no event log forgets sooner: nothing is told again
MODELS_EVERY: Final = timedelta(minutes=2)
USAGE_EVERY: Final = timedelta(minutes=1)
ISSUES_EVERY: Final = timedelta(seconds=30)
log = logging.getLogger(__name__)
NO_TERMS: Final = UsageTerms()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the jobs work with: what the last good files declare, the backends, the billed ledger's folder.

    `look` reads the files if nobody has: a job may run alone, or before the first look at them.
    """

    money: Callable[[], MoneyDeclared]
    look: Callable[[], object]
    backend: PrometheusBackend
    store: SqlStore
    clock: Clock
    bills: Path
    models: DiscoveredModels


class MoneyServices:
    """The parts, joined but not started."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self.forecasts = ForecastDaemon(around.backend)
        self._bills = LiveBilledLedger(around.bills, around.money)
        self.reconciliation = ReconciliationDaemon(self._bills, around.backend)
        self._estimated = EstimatedLedger(around.backend)
        outside = Outside(
            self._estimated, around.backend, PrometheusExemplars(around.backend), around.store, self.price_maps
        )
        self._stuck = ""  # why a month is not closed: told when it changes, not every minute
        self._issues = CostIssueDaemon(around.store, outside, self.budgets)

    def ledger(self, kind: Ledger) -> CostLedger:
        """What is known of spend, by where the figures come from."""
        return self._bills if kind is Ledger.BILLED else self._estimated

    def budgets(self) -> Sequence[Budget]:
        """Those of the last good files."""
        return self._around.money().budgets

    def price_maps(self) -> Sequence[PriceMap]:
        """Those of the last good files."""
        return self._around.money().price_maps

    def terms(self) -> UsageTerms:
        """What is metered, and by which contracts."""
        return self._around.money().usage or NO_TERMS

    def collectors(self) -> tuple[Collector, ...]:
        """For the registry of our own metrics."""
        around = self._around
        return (
            ForecastCollector(self.forecasts, around.clock),
            ReconciliationCollector(self.reconciliation),
            BilledCollector(self._bills),
            UsageCollector(around.store, self.terms, around.clock),
        )

    def jobs(self) -> Iterator[Job]:
        """What is done again and again."""
        yield Job("bills", BILLS_EVERY, self._informed(self._import), leader_only=True)
        yield Job("forecast", FORECAST_EVERY, self._informed(self._forecast), leader_only=True)
        yield Job("ledgers", RECONCILE_EVERY, self._informed(self._reconcile), leader_only=True)
        yield Job("models", MODELS_EVERY, self._informed(self._look_for_models), leader_only=False)
        yield Job("usage", USAGE_EVERY, self._informed(self._usage), leader_only=True)
        yield Job("cost-issues", ISSUES_EVERY, self._informed(self._open_issues), leader_only=True)

    def _informed(self, run: Callable[[Turn], object]) -> Callable[[Turn], object]:
        """A job that knows what is declared even in its first turn."""

        def informed(turn: Turn) -> object:
            self._around.look()
            return run(turn)

        return informed

    def _import(self, turn: Turn) -> object:
        """Import what is new, and tell the event log of it and of what `flyball cost import` took meanwhile.

        An event has the same id whenever it is told.
        """
        sources = self._around.money().cost_sources
        named = {variable for source in sources for _, variable in source.credentials}
        done = BilledDaemon(Importer(self._around.bills, variables_of(named))).run_once(sources, turn.now)
        remembered = events_since(open_ledger(self._around.bills).catalogue(), turn.now - IMPORTS_TOLD_FOR)
        events = {event.id: event for event in (*done.events, *remembered)}
        if events:
            with self._around.store.transaction(lease=turn.lease) as transaction:
                transaction.events.append_all(tuple(events.values()), turn.now)
        return done

    def _look_for_models(self, turn: Turn) -> object:
        """Of every replica: the one that leads next must compile the same rules."""
        around = self._around
        return around.models.look(around.money().price_maps, around.backend, turn.now)

    def _forecast(self, turn: Turn) -> object:
        return self.forecasts.run_once(self.budgets(), turn.now)

    def _reconcile(self, turn: Turn) -> object:
        return self.reconciliation.run_once(self.price_maps(), turn.now)

    def _usage(self, turn: Turn) -> object:
        source = RecordedSLO(self._around.backend)
        done = turn_usage(self._around.store, self.terms(), turn.now, lease=turn.lease, source=source)
        if done.stuck and done.stuck != self._stuck:
            log.warning("usage.month_not_closed", extra={"why": done.stuck})
        self._stuck = done.stuck
        return done

    def _open_issues(self, turn: Turn) -> object:
        return self._issues.run_once(turn.now, turn.lease)
