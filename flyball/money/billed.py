"""The billed ledger of a running workspace, whose sources may be declared otherwise at any time."""

import threading
from collections.abc import Callable
from pathlib import Path

from controlplane.model.spend import SpendQuestion, SpendTable
from finops.billed.adapters.duckdb_ledger import BilledLedger, open_ledger
from finops.billed.ledger.partition import Catalogue
from finops.billed.model import CostSource
from finops.billed.query.dimensions import dimensions_of
from flyball.money.declared import MoneyDeclared


class LiveBilledLedger:
    """Implements `CostLedger` and `Catalogued`; empty while nothing was imported. Threads may share it."""

    def __init__(self, folder: Path, money: Callable[[], MoneyDeclared]) -> None:
        self._folder = folder
        self._money = money
        self._lock = threading.Lock()
        self._sources: tuple[CostSource, ...] | None = None
        self._ledger: BilledLedger | None = None

    def spend(self, question: SpendQuestion) -> SpendTable:
        """As the ledger that has the dimensions of the sources as they are declared now."""
        return self._opened().spend(question)

    def catalogue(self) -> Catalogue:
        """What was imported."""
        return self._opened().catalogue()

    def _opened(self) -> BilledLedger:
        sources = self._money().cost_sources
        with self._lock:
            if self._ledger is None or sources != self._sources:
                self._ledger = open_ledger(self._folder, dimensions_of(sources))
                self._sources = sources
            return self._ledger
