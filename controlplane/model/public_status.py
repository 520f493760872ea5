"""What a public status page shows. A renderer that knows nothing else can leak nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum


class ComponentStatus(Enum):
    """Statuspage's five words, worst last, and one for a component that nothing is known of (shown as such)."""

    OPERATIONAL = "operational"
    UNDER_MAINTENANCE = "under_maintenance"
    DEGRADED = "degraded_performance"
    PARTIAL = "partial_outage"
    MAJOR = "major_outage"
    UNKNOWN = "unknown"


class Impact(Enum):
    """Of an incident, and of the page as a whole (its indicator)."""

    NONE = "none"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"
    MAINTENANCE = "maintenance"  # only of scheduled maintenances


class IncidentStatus(Enum):
    """Where an incident stands; the last three are of scheduled maintenances."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    POSTMORTEM = "postmortem"
    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    VERIFYING = "verifying"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class AffectedComponent:
    """How an update changed a component."""

    id: str
    name: str
    old: ComponentStatus
    new: ComponentStatus


@dataclass(frozen=True, slots=True)
class PublicUpdate:
    """One message about an incident; `body` is Markdown as its author wrote it, not yet sanitised."""

    id: str
    status: IncidentStatus
    body: str
    created_at: datetime
    updated_at: datetime
    display_at: datetime
    affected: tuple[AffectedComponent, ...] = ()


@dataclass(frozen=True, slots=True)
class PublicIncident:
    """An incident, or a scheduled maintenance when `scheduled_for` is set; `updates` newest first, published ones only.

    `next_update_by` is a promise, None when none stands.
    """

    id: str
    name: str
    status: IncidentStatus
    impact: Impact
    created_at: datetime
    updated_at: datetime
    started_at: datetime
    component_ids: tuple[str, ...]
    updates: tuple[PublicUpdate, ...]
    monitoring_at: datetime | None = None
    resolved_at: datetime | None = None
    scheduled_for: datetime | None = None
    scheduled_until: datetime | None = None
    next_update_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """A later change of what was counted: [start, end) counts as `status`, not as what was measured."""

    start: datetime
    end: datetime
    status: ComponentStatus
    reason: str
    declared_at: datetime


@dataclass(frozen=True, slots=True)
class StatusSpan:
    """[start, end) in which a component had one status; `is_excluded` takes it out of uptime (planned maintenance)."""

    start: datetime
    end: datetime
    status: ComponentStatus
    is_excluded: bool = False
    is_corrected: bool = False


@dataclass(frozen=True, slots=True)
class UptimeDay:
    """One day in the page's time zone. Seconds by status after corrections, excluded ones and unmeasured ones apart.

    `ratio` is None when nothing of the day counts. `length_seconds` is not 86,400 when clocks change, and what has
    passed of the day when it is today.
    """

    day: date
    length_seconds: int
    seconds: Mapping[ComponentStatus, int]
    excluded_seconds: int
    unmeasured_seconds: int
    corrected_seconds: int
    ratio: Decimal | None
    worst: ComponentStatus | None


@dataclass(frozen=True, slots=True)
class Uptime:
    """The last days (90), oldest first, and what stands behind the percentage. `weights`: what a second of a status

    counts as downtime, 0 to 1; `formula` says it in one line.
    """

    days: tuple[UptimeDay, ...]
    ratio: Decimal | None
    weights: Mapping[ComponentStatus, Decimal]
    formula: str
    spans: tuple[StatusSpan, ...]  # everything but operational time
    corrections: tuple[Correction, ...]


@dataclass(frozen=True, slots=True)
class Reduced:
    """A component works with less than usual, on purpose: `text` is what the page's file says of the ladder's tier."""

    tier: int
    text: str
    since: datetime


@dataclass(frozen=True, slots=True)
class PublicComponent:
    """One line of the page. `basis` tells the public what its status is made from, in the page's own words."""

    id: str
    name: str
    description: str
    status: ComponentStatus
    position: int
    created_at: datetime
    updated_at: datetime
    group_id: str | None = None
    only_show_if_degraded: bool = False
    uptime: Uptime | None = None
    reduced: Reduced | None = None
    basis: tuple[str, ...] = ()
    names: tuple[tuple[str, str], ...] = ()  # in other languages: language, name


@dataclass(frozen=True, slots=True)
class PublicGroup:
    """Components under one heading; its status is the worst of theirs."""

    id: str
    name: str
    description: str
    status: ComponentStatus
    position: int
    component_ids: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    names: tuple[tuple[str, str], ...] = ()  # in other languages: language, name


@dataclass(frozen=True, slots=True)
class PublicPage:
    """The page itself; `languages` are the catalogues that it is rendered in, the first at its root."""

    id: str
    name: str
    url: str
    time_zone: str
    languages: tuple[str, ...]
    description: str = ""
    support_url: str = ""
    takes_subscribers: bool = False
    subscribe_url: str = ""  # where the form posts to; empty without a control plane that people can reach


@dataclass(frozen=True, slots=True)
class PublicSnapshot:
    """Everything that a page shows at `at`, and nothing else. Incidents and maintenances newest first.

    `stale_after`: a reader (or a script-free notice with the time) should doubt a page that is older than that.
    """

    page: PublicPage
    at: datetime
    indicator: Impact
    components: tuple[PublicComponent, ...]
    groups: tuple[PublicGroup, ...]
    incidents: tuple[PublicIncident, ...]
    maintenances: tuple[PublicIncident, ...]
