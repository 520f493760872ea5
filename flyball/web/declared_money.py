"""What the pages about money show of a workspace: its declarations and its two ledgers."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from controlplane.model.budget import Budget
from controlplane.ports import CostLedger, MetricsBackend
from exporters.unit_cost.model import UnitCost
from finops.billed.adapters.duckdb_ledger import open_ledger
from finops.billed.model import CostSource
from finops.billed.query.dimensions import dimensions_of
from finops.pricing.estimated import EstimatedLedger
from flyball.money.declared import MoneyDeclared
from flyball.web.state import Ledgers


class DeclaredMoney:
    """A `MoneyState` of the last good files. There is an estimated ledger while prices are declared.

    The billed ledger is the folder that `flyball cost import` fills, from the moment at which it is there.
    """

    def __init__(self, declared: Callable[[], MoneyDeclared], metrics: MetricsBackend, cost_directory: Path) -> None:
        self._declared = declared
        self._estimated = EstimatedLedger(metrics)
        self._cost_directory = cost_directory
        self._lock = threading.Lock()
        self._billed: CostLedger | None = None
        self._sources: tuple[CostSource, ...] = ()

    def budgets(self) -> Sequence[Budget]:
        """Those declared."""
        return self._declared().budgets

    def unit_costs(self) -> Sequence[UnitCost]:
        """Those declared."""
        return self._declared().unit_costs

    def ledgers(self) -> Ledgers:
        """Those that there are now."""
        return Ledgers(self._opened(), self._estimated if self._declared().price_maps else None)

    def _opened(self) -> CostLedger | None:
        """The folder as its sources are declared now: they say where a dimension's values stand."""
        sources = self._declared().cost_sources
        with self._lock:
            if (self._billed is None or sources != self._sources) and self._cost_directory.is_dir():
                self._billed = open_ledger(self._cost_directory, dimensions_of(sources))
                self._sources = sources
            return self._billed
