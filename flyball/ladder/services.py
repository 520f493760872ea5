"""Everything about downshift ladders that is done again and again in one process, and what Prometheus scrapes of it."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from prometheus_client.registry import Collector

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.ports import Clock
from controlplane.store import SqlStore
from finops.ladder.collector import LadderCollector
from finops.ladder.daemon import LadderDaemon
from finops.ladder.model import Ladder
from finops.ladder.readings import Readings
from finops.ladder.savings.daemon import SavingsDaemon
from finops.ladder.signals.reader import SignalReader
from flyball.ladder.journeys import DeclaredJourneys
from flyball.ladder.scopes import scopes_of
from flyball.ladder.stores import DeclaredStores
from flyball.money.declared import MoneyDeclared
from flyball.scheduler import Job, Turn
from flyball.settings import Settings
from flyball.synthetics.declared import ChecksDeclared
from flyball.synthetics.region_checks import RegionChecks

LADDER_EVERY: Final = timedelta(seconds=1)  # each ladder has its own pace; orders and open steps are not kept waiting
SAVINGS_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class LadderSurroundings:
    """What the jobs work with. `money` and `checks` are what the last good files say, `look` reads them if nobody has.

    `metrics` must answer or fail within seconds; `make_id` gives ids that were not there before.
    """

    money: Callable[[], MoneyDeclared]
    checks: Callable[[], ChecksDeclared]
    look: Callable[[], object]
    settings: Settings
    metrics: PrometheusBackend
    store: SqlStore
    clock: Clock
    journeys: RegionChecks
    make_id: Callable[[], str]


class LadderServices:
    """The parts, joined but not started."""

    def __init__(self, around: LadderSurroundings) -> None:
        self._around = around
        self.stores = DeclaredStores(lambda: around.money().flag_stores, around.settings.folder, around.clock)
        self._savings = SavingsDaemon(around.store, around.metrics)
        self._daemon = LadderDaemon(
            store=around.store,
            open_store=self.stores,
            stores=self.stores.declared,
            read_signals=self._read,
            run_journeys=DeclaredJourneys(around.checks, around.journeys, around.clock),
            is_killed=around.settings.ladder.why_stopped,
            ids=around.make_id,
            wait=time.sleep,
            clock=around.clock,
        )

    def ladders(self) -> tuple[Ladder, ...]:
        """Those of the last good files."""
        return self._around.money().ladders

    def collectors(self) -> tuple[Collector, ...]:
        """For the registry of our own metrics."""
        around = self._around
        return (LadderCollector(around.store, self.ladders, around.settings.ladder.why_stopped, around.clock),)

    def jobs(self) -> Iterator[Job]:
        """What is done again and again."""
        yield Job("ladder", LADDER_EVERY, self._informed(self._step), leader_only=True, may_be_long=True)
        yield Job("savings", SAVINGS_EVERY, self._informed(self._measure), leader_only=True)

    def close(self) -> None:
        """Give back connections of flag stores."""
        self.stores.close()

    def _informed(self, run: Callable[[Turn], object]) -> Callable[[Turn], object]:
        """A job that knows what is declared even in its first turn."""

        def informed(turn: Turn) -> object:
            self._around.look()
            return run(turn)

        return informed

    def _step(self, turn: Turn) -> object:
        return self._daemon.run_once(self.ladders(), turn.now, turn.lease)

    def _measure(self, turn: Turn) -> object:
        self._savings.scopes = scopes_of(self._around.money())
        return self._savings.run_once(self.ladders(), turn.now, turn.lease)

    def _read(self, ladder: Ladder, now: datetime, savings: Mapping[int, Decimal]) -> Readings:
        return SignalReader(self._around.metrics, scopes_of(self._around.money())).read(ladder, now, savings)
