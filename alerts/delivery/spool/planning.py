"""Which pages a notification makes, without the database: the same incidents by the same ids, for the same people."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from alerts.incidents.choosing import Choice
from alerts.incidents.grouping import Placed, by_key, draft
from alerts.incidents.snapshots import links_of, page_url, runbook_links
from alerts.model import AlertsDeclared, Snapshot
from alerts.routing.model import Channel, ChannelKind, Receiver
from alerts.schedules.turns import on_call
from controlplane.model.alert import AlertNotification, AlertStatus
from controlplane.model.incident import Incident

_MOST_ALERTS: Final = 20


@dataclass(frozen=True, slots=True)
class Way:
    """How a receiver is told: by all of `first`, and by the `fallback`s in turn while none of these took it."""

    first: tuple[Channel, ...]
    fallback: tuple[Channel, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """An incident as far as its notification tells, and by which ways it is told."""

    snapshot: Snapshot
    ways: tuple[Way, ...]

    @property
    def incident(self) -> Incident:
        """The incident that the database will know by the same id."""
        return self.snapshot.incident


def pages_of(notification: AlertNotification, choice: Choice, at: datetime, console_url: str) -> list[Page]:
    """Its critical incidents with somebody to tell, the most urgent first."""
    firing = [each for each in notification.alerts if each.status is AlertStatus.FIRING]
    placed = [found for each in firing if (found := choice.placed(each, notification.receiver, at)) is not None]
    pages = [_page(group, choice.declared, at, console_url) for group in by_key(placed).values()]
    critical = [page for page in pages if page.incident.priority.is_critical and page.ways]
    return sorted(critical, key=lambda page: page.incident.priority.rank)


def _page(group: Sequence[Placed], declared: AlertsDeclared, at: datetime, console_url: str) -> Page:
    incident = draft(group, at)
    names = dict.fromkeys([*incident.receivers, *_first_step(incident, declared, at)])
    incident = replace(incident, receivers=tuple(names))
    alerts = tuple(each.alert for each in group)
    shown = Snapshot(
        incident=incident,
        alerts=alerts[:_MOST_ALERTS],
        alert_count=len(alerts),
        firing_count=len(alerts),
        runbooks=runbook_links(alerts, declared, console_url),
        links=links_of(alerts),
        page_url=page_url(console_url, incident.id),
        timeline=(),
        taken_at=at,
    )
    receivers = filter(None, map(declared.receiver, names))
    return Page(shown, tuple(way for each in receivers if (way := _way(each, incident))))


def _first_step(incident: Incident, declared: AlertsDeclared, at: datetime) -> Iterator[str]:
    """Whom escalation tells at once. Later steps wait for the database: nobody can acknowledge without it."""
    policy = declared.policy(incident.policy) if incident.policy else None
    for step in policy.steps if policy else ():
        if step.after > timedelta(0):
            continue
        for target in step.targets:
            kind, _, name = target.partition(":")
            if kind == "receiver":
                yield name
            elif schedule := declared.schedule(name):
                yield from filter(None, [on_call(schedule, at)])


def _way(receiver: Receiver, incident: Incident) -> Way | None:
    """Without the database nothing can be updated or counted, so a pager is enough where there is one."""
    channels = tuple(_for(receiver.channels, incident))
    pagers = tuple(each for each in channels if each.kind is ChannelKind.PAGERDUTY)
    return Way(pagers or channels, tuple(_for(receiver.fallback, incident))) if channels else None


def _for(channels: Iterable[Channel], incident: Incident) -> Iterator[Channel]:
    told = (each for each in channels if incident.priority in each.priorities)
    return (each for each in told if each.kind is not ChannelKind.CONSOLE)
