"""A report: the metrics of several scopes over the same time, and what there is to say about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from controlplane.model.delivery import DeliveryIncident
from exporters.dora.clusters.editions import Edition
from exporters.dora.clusters.placing import Placed
from exporters.dora.model import DoraMetrics, JudgedDeployment


class By(Enum):
    """What a row of a report is about."""

    SERVICE = "service"
    TEAM = "team"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class Behind:
    """What came in and is in no number yet: events that no fact was made of, and days that must be measured anew."""

    events: int = 0
    days: int = 0

    def __bool__(self) -> bool:
        return bool(self.events or self.days)


UP_TO_DATE = Behind()


@dataclass(frozen=True, slots=True)
class Row:
    """One scope. `before` are its metrics over the same length of time just before; None where nobody asked."""

    metrics: DoraMetrics
    before: DoraMetrics | None = None
    placed: Placed | None = None

    @property
    def name(self) -> str:
        """Of the service or team; of the environment where it is all of one."""
        scope = self.metrics.scope
        return scope.service or scope.team or scope.environment

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened in that time."""
        metrics = self.metrics
        return not (metrics.frequency.deployments or metrics.restore_time.mean.samples or metrics.open_incidents)


@dataclass(frozen=True, slots=True)
class Report:
    """Rows in the order of their names, over [start, end) in `time_zone`. `edition`: what they are compared with.

    `left_out` counts further rows that are not shown.
    """

    by: By
    start: datetime
    end: datetime
    made_at: datetime
    rows: tuple[Row, ...]
    edition: Edition | None = None
    behind: Behind = UP_TO_DATE
    time_zone: str = "UTC"
    left_out: int = 0

    @property
    def days(self) -> int:
        """How long it is, in whole days."""
        return max(round((self.end - self.start).total_seconds() / 86400), 1)

    @property
    def environments(self) -> tuple[str, ...]:
        """Those that rows are about."""
        return tuple(sorted({row.metrics.scope.environment for row in self.rows}))


@dataclass(frozen=True, slots=True)
class Deployments:
    """Single deployments with what became of them, latest first; `incidents` that are held against them, by id."""

    found: Sequence[JudgedDeployment]
    incidents: Mapping[str, DeliveryIncident]
