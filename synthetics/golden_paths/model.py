"""Golden paths: what must work for people, by which routes, and what watches it. And what tells the routes."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from typing import Final

from controlplane.model.check import CheckKind
from controlplane.model.source import SourcePosition

MAX_AGE: Final = timedelta(hours=6)
WITHIN: Final = timedelta(days=1)
_DAY: Final = timedelta(days=1)
Labels = tuple[tuple[str, str], ...]


class Gap(Enum):
    """What is missing where everything is said to be watched."""

    ROUTE_ON_NO_PATH = "route-on-no-path"  # people use it, and no path names it
    ROUTE_NOT_SEEN = "route-not-seen"  # a path names it, and nobody uses it: a typo, or it is gone
    NO_JOURNEY = "no-journey"
    NO_SLO = "no-slo"
    NOT_RUN = "not-run"  # a journey or probe that should watch it did not run for too long, or never
    FAILING = "failing"  # a journey or probe of it fails
    EXEMPTION_EXPIRED = "exemption-expired"

    @property
    def is_static(self) -> bool:
        """Whether the files alone tell it."""
        return self in (Gap.NO_JOURNEY, Gap.NO_SLO, Gap.EXEMPTION_EXPIRED)


@dataclass(frozen=True, slots=True)
class Route:
    """A route as traffic tells it; `*` in `route` stands for any characters. Empty service and method: any."""

    route: str
    service: str = ""
    method: str = ""
    labels: Labels = ()
    source: SourcePosition | None = field(default=None, compare=False)

    def __str__(self) -> str:
        """For people: `graphql-gateway POST /graphql/query {operation="read"}`."""
        labels = ", ".join(f'{name}="{value}"' for name, value in self.labels)
        return " ".join(filter(None, (self.service, self.method, self.route, f"{{{labels}}}" if labels else "")))


@dataclass(frozen=True, slots=True)
class Exemption:
    """A gap that is accepted up to and including a day (UTC)."""

    gap: Gap
    reason: str
    until: date
    source: SourcePosition | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class GoldenPath:
    """What people do. Its journeys and probes must have run within `max_age`; `is_critical`: its gaps fail builds."""

    name: str
    source: SourcePosition = field(compare=False)
    routes: tuple[Route, ...] = ()
    slos: tuple[str, ...] = ()
    journeys: tuple[str, ...] = ()
    probes: tuple[str, ...] = ()
    max_age: timedelta = MAX_AGE
    exempt: tuple[Exemption, ...] = ()
    is_critical: bool = True
    display_name: str = ""
    description: str = ""
    owner: str = ""
    runbook_url: str = ""
    labels: Labels = ()

    @property
    def title(self) -> str:
        """What people call it."""
        return self.display_name or self.name

    @property
    def checks(self) -> tuple[tuple[CheckKind, str], ...]:
        """Its journeys and probes, by kind and name."""
        journeys = ((CheckKind.JOURNEY, name) for name in self.journeys)
        return (*journeys, *((CheckKind.PROBE, name) for name in self.probes))


@dataclass(frozen=True, slots=True)
class Ignored:
    """Routes that need not be on a path: RE2, anchored at both ends."""

    pattern: str
    reason: str


@dataclass(frozen=True, slots=True)
class RouteInventory:
    """A counter whose series tell which routes exist. `method_label` empty: it does not tell methods apart.

    A route with fewer than `least_per_day` requests a day need not be on a path, but counts as seen.
    """

    name: str
    metric: str
    source: SourcePosition = field(compare=False)
    selector: tuple[tuple[str, tuple[str, ...]], ...] = ()
    service_label: str = "service"
    method_label: str = ""
    route_label: str = "route"
    within: timedelta = WITHIN
    least_per_day: Decimal = Decimal(0)
    ignored: tuple[Ignored, ...] = ()

    @property
    def days(self) -> float:
        """How many days it looks at."""
        return self.within / _DAY
