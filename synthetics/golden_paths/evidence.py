"""What is known of the world that golden paths speak about: traffic by route, and when checks ran."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from controlplane.model.check import CheckKind, VerdictKind
from synthetics.golden_paths.model import Labels, RouteInventory

CheckKey = tuple[CheckKind, str]


@dataclass(frozen=True, slots=True)
class RouteTraffic:
    """A route as the inventory's metric tells it, and how many requests a day it gets."""

    route: str
    service: str = ""
    method: str = ""
    labels: Labels = ()
    per_day: float = 0.0


@dataclass(frozen=True, slots=True)
class InventoryAnswer:
    """What one inventory found; `failure` says why nothing is known, and is empty when it is."""

    inventory: RouteInventory
    routes: tuple[RouteTraffic, ...] = ()
    failure: str = ""


@dataclass(frozen=True, slots=True)
class CheckEvidence:
    """One journey or probe: the latest run that was no fault of the prober, None for never; and what stands of it.

    `verdict` None: there is none yet. `detail` says why it fails, for people.
    """

    last_run_at: datetime | None = None
    verdict: VerdictKind | None = None
    verdict_since: datetime | None = None
    regions_down: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All of it. None where nobody asked; `checks_failure` says why the store told nothing."""

    inventories: tuple[InventoryAnswer, ...] | None = None
    checks: Mapping[CheckKey, CheckEvidence] | None = None
    checks_failure: str = ""

    @property
    def answered(self) -> Iterator[InventoryAnswer]:
        """Inventories of which something is known."""
        return (answer for answer in self.inventories or () if not answer.failure)

    @property
    def routes_unknown(self) -> str:
        """Why it cannot be said of a route that nobody uses it; empty when it can."""
        if self.inventories is None:
            return "no Prometheus was asked"
        if not self.inventories:
            return "no RouteInventory says which metric tells the routes"
        return next((answer.failure for answer in self.inventories if answer.failure), "")

    @property
    def checks_unknown(self) -> str:
        """Why nothing is known of runs; empty when something is."""
        if self.checks is not None:
            return ""
        return self.checks_failure or "no database was asked"


NOTHING_ASKED = Evidence()


@dataclass(frozen=True, slots=True)
class BurningSLO:
    """An SLO of which its users see the faults."""

    slo: str
    burn_rate: float | None = None
    is_paging: bool = False


@dataclass(frozen=True, slots=True)
class SLIEvidence:
    """What Prometheus tells of SLOs: which burn at the speed of a page, and which are known to be calm."""

    burning: tuple[BurningSLO, ...] = ()
    calm: frozenset[str] = field(default_factory=frozenset)
