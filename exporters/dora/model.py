"""What is reported of deliveries: the five metrics with their samples and intervals. Absent values are None."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum


class Metric(Enum):
    """The five metrics, and MTTR beside them."""

    LEAD_TIME = "change_lead_time"
    FREQUENCY = "deployment_frequency"
    RECOVERY_TIME = "failed_deployment_recovery_time"
    FAIL_RATE = "change_fail_rate"
    REWORK_RATE = "deployment_rework_rate"
    RESTORE_TIME = "incident_restore_time"  # MTTR: over all incidents


class Stage(Enum):
    """Parts of a change's lead time, in order: they add up to it where all are known."""

    CODING = "coding"  # first commit → opened for review
    REVIEW = "review"  # opened → merged
    DEPLOY = "deploy"  # merged → in the environment


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with what stands behind it: `samples` values, and its 95 % interval (None where it has none).

    Units: seconds, deployments per day, or a ratio of 0 … 1, as the metric says.
    """

    value: Decimal | None
    samples: int
    lower: Decimal | None = None
    upper: Decimal | None = None


NOTHING = Estimate(None, 0)


@dataclass(frozen=True, slots=True)
class Distribution:
    """Durations in seconds. `quantiles` by 0.5, 0.75, 0.9, 0.95, each with an interval; empty without samples."""

    quantiles: Mapping[Decimal, Estimate] = field(default_factory=dict)
    mean: Estimate = NOTHING

    @property
    def median(self) -> Estimate:
        """The middle one."""
        return self.quantiles.get(Decimal("0.5"), NOTHING)


@dataclass(frozen=True, slots=True)
class Frequency:
    """How often is deployed. `per_day`: a mean over all days of the window, so that bursts count as they are.

    `active_days` of `days` had a deployment; `median_gap` and `longest_gap` lie between two deployments; `burst` is the
    share of deployments on the busiest tenth of days (0.1 when spread evenly). None with fewer than two deployments.
    """

    per_day: Estimate
    deployments: int
    days: int
    active_days: int
    releases: int  # deployments of several services made by one run count once
    median_gap: timedelta | None = None
    longest_gap: timedelta | None = None
    burst: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose metrics: of a service, of a team (its services together), or of all; in one environment."""

    environment: str
    service: str = ""
    team: str = ""


@dataclass(frozen=True, slots=True)
class Week:
    """A week of the trend; `first` is its Monday. Values as in `DoraMetrics`; None without data."""

    first: date
    deployments: int
    failed: int
    rework: int
    lead_time_median: Decimal | None
    recovery_median: Decimal | None


@dataclass(frozen=True, slots=True)
class DoraMetrics:
    """The metrics of one scope over [start, end). `coverage_from`: the first thing known of it; None: nothing is."""

    scope: Scope
    start: datetime
    end: datetime
    lead_time: Distribution
    stages: Mapping[Stage, Distribution]
    frequency: Frequency
    recovery_time: Distribution
    fail_rate: Estimate
    rework_rate: Estimate
    restore_time: Distribution
    open_failures: int = 0  # failed deployments that nothing recovered from yet
    open_incidents: int = 0
    changes_without_start: int = 0  # delivered, but nobody knows when work on them began
    deployments_without_changes: int = 0
    coverage_from: datetime | None = None
    weeks: tuple[Week, ...] = ()


class FailureReason(Enum):
    """Why a deployment counts as failed."""

    INCIDENT = "incident"  # one is held against it
    ROLLED_BACK = "rolled_back"
    ROLLOUT = "rollout"  # its roll-out reached users and was stopped
    HOTFIXED = "hotfixed"  # a deployment was made to mend it


class ReworkReason(Enum):
    """Why a deployment counts as rework."""

    ROLLBACK = "rollback"
    REMEDY = "remedy"  # it names the incident that it mends
    HOTFIX = "hotfix"  # it was unplanned, or a change in it is marked so
    REVERT = "revert"  # it brings a change that reverts one delivered by a failed deployment


@dataclass(frozen=True, slots=True)
class DeliveredChange:
    """A change's first arrival in an environment. Durations are None where a time is unknown or contradicts another."""

    change: str
    lead_time: timedelta | None
    stages: Mapping[Stage, timedelta]


@dataclass(frozen=True, slots=True)
class JudgedDeployment:
    """A deployment and what became of it. `incidents` are those held against it."""

    id: str
    service: str
    environment: str
    at: datetime
    version: str = ""
    url: str = ""
    run: str = ""
    failure: FailureReason | None = None
    rework: ReworkReason | None = None
    incidents: tuple[str, ...] = ()
    recovered_at: datetime | None = None
    recovery_time: timedelta | None = None
    changes: tuple[DeliveredChange, ...] = ()
    why: str = ""  # in words, for whoever doubts it
