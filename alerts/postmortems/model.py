"""A postmortem, half written: everything that is known of an incident afterwards, in one value."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.model import Link
from controlplane.model.alert import Alert
from controlplane.model.follow_up import Action, Ticket
from controlplane.model.incident import Incident, TimelineEntry


@dataclass(frozen=True, slots=True)
class Moments:
    """When what happened; None: not yet, or it is not known.

    `began`: the first alert began to hold. `detected`: the incident opened. `told`: the first message arrived outside.
    `quiet`: the last alert ended. All are database times but `began` and `quiet`, which are of those that measured.
    """

    began: datetime
    detected: datetime
    told: datetime | None = None
    acknowledged: datetime | None = None
    quiet: datetime | None = None
    resolved: datetime | None = None

    def after(self, at: datetime | None) -> timedelta | None:
        """How long after the beginning; never negative."""
        return None if at is None else max(at - self.began, timedelta(0))

    @property
    def recovered(self) -> datetime | None:
        """When it was over for users: when its last alert ended, else when somebody said so."""
        return self.quiet or self.resolved


@dataclass(frozen=True, slots=True)
class TrackedAction:
    """An action, its ticket where it has one, and the incident that it belongs to."""

    action: Action
    ticket: Ticket | None
    incident: Incident
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class Earlier:
    """An incident that this one repeats."""

    incident: Incident
    url: str
    open_actions: int


@dataclass(frozen=True, slots=True)
class Postmortem:
    """`timeline` is whole, oldest first; `alerts` are those still kept, of `alert_count`.

    `actions` are this incident's; `left_over` those of the incidents that it repeats which are still open.
    `earlier`: latest first; `repeats` counts those in the year before.
    """

    incident: Incident
    moments: Moments
    timeline: tuple[TimelineEntry, ...]
    alerts: tuple[Alert, ...]
    alert_count: int
    actions: tuple[TrackedAction, ...]
    left_over: tuple[TrackedAction, ...]
    earlier: tuple[Earlier, ...]
    repeats: int
    told: tuple[str, ...]  # who was told by escalation, in the order of steps
    shown: tuple[Link, ...]  # pages, messages and threads outside
    page_url: str
    made_at: datetime

    @property
    def is_over(self) -> bool:
        """Whether it is resolved."""
        return not self.incident.is_open

    @property
    def end(self) -> datetime:
        """When it was over, or now."""
        return self.incident.resolved_at or self.made_at
