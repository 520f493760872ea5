"""What the pages about money show of a workspace: its declarations and its two ledgers."""

from collections.abc import Callable, Sequence
from pathlib import Path

from controlplane.model.budget import Budget
from controlplane.ports import MetricsBackend
from exporters.unit_cost.model import UnitCost
from finops.pricing.estimated import EstimatedLedger
from flyball.money.billed import LiveBilledLedger
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
        self._billed = LiveBilledLedger(cost_directory, declared)

    def budgets(self) -> Sequence[Budget]:
        """Those declared."""
        return self._declared().budgets

    def unit_costs(self) -> Sequence[UnitCost]:
        """Those declared."""
        return self._declared().unit_costs

    def ledgers(self) -> Ledgers:
        """Those that there are now."""
        billed = self._billed if self._cost_directory.is_dir() else None
        return Ledgers(billed, self._estimated if self._declared().price_maps else None)
