"""What the store keeps of status pages: what was observed, what was said, by whom, and who wants to hear of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from controlplane.model.public_status import AffectedComponent, ComponentStatus, Correction, Impact, IncidentStatus


@dataclass(frozen=True, slots=True)
class ComponentSpan:
    """[start, end) in which a component was observed to have one status; `end` is the latest observation so far."""

    component: str
    start: datetime
    end: datetime
    status: ComponentStatus


@dataclass(frozen=True, slots=True)
class ComponentState:
    """What stands of a component: `since` it has the status, `created_at` it was observed first."""

    component: str
    status: ComponentStatus
    since: datetime
    created_at: datetime
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class ComponentChange:
    """A component has another status than before; `old` is None when it was never observed."""

    component: str
    old: ComponentStatus | None
    new: ComponentStatus
    at: datetime


class Origin(Enum):
    """Who began an incident."""

    MANUAL = "manual"
    AUTOMATIC = "automatic"  # by the page's policy, from what was measured
    DECLARED = "declared"  # a maintenance that stands in the page's file


@dataclass(frozen=True, slots=True)
class IncidentRecord:
    """An incident, or a maintenance when `scheduled_for` is set. The public sees it once an update is published.

    `status` is that of the latest published update. `next_update_by` is the promise that stands, `overdue_told` the
    promise whose breach was told. `calm_since`: of automatic ones, since when its components are well. `maintenance`:
    the id in the page's file. `announced_at`: when it was published first. `is_excluded` and `expects` are of
    maintenances: whether its time leaves uptime, and the worst status that it explains.
    """

    page: str
    id: str
    name: str
    origin: Origin
    status: IncidentStatus
    impact: Impact
    component_ids: tuple[str, ...]
    created_at: datetime
    started_at: datetime
    updated_at: datetime
    announced_at: datetime | None = None
    monitoring_at: datetime | None = None
    resolved_at: datetime | None = None
    scheduled_for: datetime | None = None
    scheduled_until: datetime | None = None
    next_update_by: datetime | None = None
    overdue_told: datetime | None = None
    calm_since: datetime | None = None
    maintenance: str = ""
    is_excluded: bool = False
    expects: ComponentStatus = ComponentStatus.MAJOR


class UpdateState(Enum):
    """How far an update is. What is published stays published; what was discarded is never published."""

    DRAFT = "draft"
    APPROVED = "approved"
    PUBLISHED = "published"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class UpdateRecord:
    """One message about an incident; `number` counts those of the incident from 1.

    `mark` says what it is for where it was drafted by policy (`opened`, `t+15`, `resolved`, …); with the incident it
    is unique. `sets_components`: a person says that the components have these statuses, whatever is measured.
    `next_within`: the promise that it makes when it is published.
    """

    page: str
    id: str
    incident: str
    number: int
    status: IncidentStatus
    body: str
    state: UpdateState
    author: str
    created_at: datetime
    mark: str = ""
    affected: tuple[AffectedComponent, ...] = ()
    sets_components: bool = False
    next_within: timedelta | None = None
    approved_by: str = ""
    approved_at: datetime | None = None
    published_at: datetime | None = None
    updated_at: datetime | None = None  # when its text was changed last


@dataclass(frozen=True, slots=True)
class UpdateEdit:
    """What an update said before it was changed; `revision` 1 is its first text."""

    update: str
    revision: int
    body: str
    replaced_at: datetime
    replaced_by: str


class Channel(Enum):
    """How a subscriber is told."""

    WEBHOOK = "webhook"
    EMAIL = "email"


class SubscriberState(Enum):
    """Nobody is told anything but the question itself before they have confirmed."""

    PENDING = "pending"
    ACTIVE = "active"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who wants to hear of a page. `nonce` is random; links and signatures are made from it with the page's key.

    `confirm_hash` is the SHA-256 of the token that confirms, good until `expires_at`. `asked_at`: when the question was
    sent last.
    """

    page: str
    id: str
    channel: Channel
    address: str
    state: SubscriberState
    nonce: str
    confirm_hash: str
    created_at: datetime
    asked_at: datetime
    expires_at: datetime
    confirmed_at: datetime | None = None
    ended_at: datetime | None = None
    language: str = ""  # empty: the page's first


@dataclass(frozen=True, slots=True)
class CorrectionRecord:
    """A correction, and who made it. One that is withdrawn counts no more and is kept."""

    page: str
    id: str
    component: str
    correction: Correction
    by: str
    from_file: bool = False
    withdrawn_at: datetime | None = None
