"""Everything that a workspace declares about alerts, and what an incident looks like to those who tell it."""

from dataclasses import dataclass
from datetime import datetime

from alerts.escalation.model import EscalationPolicy
from alerts.maintenance.model import MaintenanceWindow
from alerts.routing.model import Channel, Receiver, Route
from alerts.runbooks.model import Runbook
from alerts.schedules.model import Schedule
from alerts.tickets.model import Tracker
from controlplane.model.alert import Alert
from controlplane.model.incident import Incident, TimelineEntry


@dataclass(frozen=True, slots=True)
class AlertsDeclared:
    """Each in the order of names, `root` is the tree of routes; None: nothing is routed, the console is told."""

    root: Route | None = None
    receivers: tuple[Receiver, ...] = ()
    policies: tuple[EscalationPolicy, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    windows: tuple[MaintenanceWindow, ...] = ()
    runbooks: tuple[Runbook, ...] = ()
    trackers: tuple[Tracker, ...] = ()

    def receiver(self, name: str) -> Receiver | None:
        """The one of that name."""
        return next((each for each in self.receivers if each.name == name), None)

    def policy(self, name: str) -> EscalationPolicy | None:
        """The one of that name."""
        return next((each for each in self.policies if each.name == name), None)

    def schedule(self, name: str) -> Schedule | None:
        """The one of that name."""
        return next((each for each in self.schedules if each.name == name), None)

    def channels(self) -> tuple[Channel, ...]:
        """Every channel of every receiver, fallbacks too, each name once."""
        found = {each.name: each for receiver in self.receivers for each in (*receiver.channels, *receiver.fallback)}
        return tuple(found.values())


@dataclass(frozen=True, slots=True)
class Link:
    """Something to read on."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An incident as it is now, with what a message about it needs. `alerts`: those shown, firing ones first."""

    incident: Incident
    alerts: tuple[Alert, ...]
    alert_count: int
    firing_count: int
    runbooks: tuple[Link, ...]
    links: tuple[Link, ...]  # dashboards, the alert's query
    page_url: str  # of the console; empty where nobody said where that is
    timeline: tuple[TimelineEntry, ...]  # all that chats show in a thread, oldest first
    taken_at: datetime
    on_call: tuple[str, ...] = ()  # who was told, as people
