"""What the console needs from the process it runs in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from controlplane.model.budget import Budget
from controlplane.model.slo import SLO
from controlplane.ports import Clock, CostLedger, MetricsBackend, Store
from controlplane.problems import Problem
from exporters.unit_cost.model import UnitCost


class ConsoleState(Protocol):
    """The running control plane, as the console sees it. Safe to use from several threads."""

    @property
    def metrics(self) -> MetricsBackend:
        """Where our rules are evaluated."""
        ...

    @property
    def store(self) -> Store:
        """The database with the alerts received."""
        ...

    @property
    def clock(self) -> Clock:
        """The time."""
        ...

    def slos(self) -> Sequence[SLO]:
        """The SLOs that are applied: those of the last good files."""
        ...

    def problems(self) -> Sequence[Problem]:
        """What is wrong with the files as they stand."""
        ...


@dataclass(frozen=True, slots=True)
class Ledgers:
    """Where spending is recorded; None where there is no such ledger."""

    billed: CostLedger | None = None
    estimated: CostLedger | None = None


class MoneyState(Protocol):
    """What the pages about money need beyond the console's state. Safe to use from several threads."""

    def budgets(self) -> Sequence[Budget]:
        """The budgets that are applied: those of the last good files."""
        ...

    def unit_costs(self) -> Sequence[UnitCost]:
        """The unit costs that are applied."""
        ...

    def ledgers(self) -> Ledgers:
        """Where spending is recorded."""
        ...


@dataclass(frozen=True, slots=True)
class NoMoney:
    """A `MoneyState` without budgets, unit costs and ledgers."""

    def budgets(self) -> Sequence[Budget]:
        """None."""
        return ()

    def unit_costs(self) -> Sequence[UnitCost]:
        """None."""
        return ()

    def ledgers(self) -> Ledgers:
        """None."""
        return Ledgers()


def _no_sources() -> Mapping[str, bytes]:
    return {}


@dataclass(frozen=True, slots=True)
class ConsoleOptions:
    """What the console may link to, and show. URLs are for browsers; an empty one leaves the links out.

    `sources` gives the user's files by path as they were read, so that problems show the line they are about.
    Above `shared_above` SLOs, dashboards are shared, as `dashboards` writes them.
    """

    prometheus_url: str = ""
    alertmanager_url: str = ""
    grafana_url: str = ""
    shared_above: int = 1000
    sources: Callable[[], Mapping[str, bytes]] = field(default=_no_sources)
