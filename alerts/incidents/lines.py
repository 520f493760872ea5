"""Lines of timelines about alerts, and what an incident becomes through them. Pure."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from alerts.incidents.grouping import ALERTNAME, Placed, common, receivers_of, routes_of, summary_of, title_of
from alerts.incidents.writing import LONGEST_TITLE, bounded
from alerts.told import alert_id
from controlplane.model.alert import Alert, AlertStatus
from controlplane.model.incident import Incident, IncidentState, Priority, TimelineEntry, TimelineKind

MOST_SINGLE: Final = 5  # more alerts than that at once are one line
_MOST_NAMES: Final = 8
ACTOR: Final = "flyball"


def opened_line(incident: Incident, group: Sequence[Placed]) -> TimelineEntry:
    """That it was opened, by what."""
    name = group[0].alert.labels.get(ALERTNAME, group[0].alert.fingerprint)
    more = f" and {len(group) - 1} more" if len(group) > 1 else ""
    text = f"{name}{more} opened it as {incident.priority.value} through route {', '.join(incident.routes)}"
    data = {"priority": incident.priority.value, "repeats": incident.repeats}
    return TimelineEntry("opened", incident.id, incident.opened_at, TimelineKind.OPENED, text, ACTOR, data)


def alert_lines(incident: str, alerts: Sequence[Alert], at: datetime) -> list[TimelineEntry]:
    """What began and what ended; many at once are one line, at `at`."""
    lines = []
    for status in AlertStatus:
        of_status = [alert for alert in alerts if alert.status is status]
        if len(of_status) > MOST_SINGLE:
            lines.append(_many(incident, of_status, status, at))
        else:
            lines += [_one(incident, alert, at) for alert in of_status]
    return lines


def rose_line(before: Incident, after: Incident, by: Alert, at: datetime) -> TimelineEntry:
    """That it is more urgent now, because of an alert."""
    name = by.labels.get(ALERTNAME, by.fingerprint)
    reopened = before.state is not after.state
    asks = "; the acknowledgement was for something smaller and is asked for again" if reopened else ""
    text = f"{name} raised it from {before.priority.value} to {after.priority.value}{asks}"
    data = {"from": before.priority.value, "to": after.priority.value, "by_itself": True}
    id_ = f"rose:{alert_id(by)}"
    return TimelineEntry(id_, before.id, at, TimelineKind.PRIORITY, bounded(text, LONGEST_TITLE * 2), ACTOR, data)


def joined(incident: Incident, group: Sequence[Placed], held_at: Priority | None) -> Incident:
    """The incident with more alerts of its key. `held_at`: a person ranked it, when alerts made it this urgent.

    It becomes as urgent as the most urgent of them, unless a person ranked it below what was known to be so urgent. An
    acknowledgement of what was not critical does not hold for what is.
    """
    leading = group[0]
    wider = replace(
        incident,
        routes=routes_of(group, incident.routes),
        receivers=receivers_of(group, incident.receivers),
        labels=common([incident.labels, *(each.alert.labels for each in group)]),
        policy=incident.policy or leading.policy,
        started_at=min(incident.started_at, *(each.alert.starts_at for each in group)),
    )
    if not rises(incident, leading.priority, held_at):
        return wider
    risen = replace(
        wider,
        priority=leading.priority,
        policy=leading.policy or incident.policy,
        title=title_of(leading.alert),
        summary=summary_of(leading.alert),
    )
    if incident.state is IncidentState.ACKNOWLEDGED and leading.priority.is_critical > incident.priority.is_critical:
        return replace(risen, state=IncidentState.OPEN, acknowledged_at=None, acknowledged_by="")
    return risen


def rises(incident: Incident, priority: Priority, held_at: Priority | None) -> bool:
    """Whether an alert of that priority makes it more urgent."""
    if held_at is not None and priority.rank >= held_at.rank:
        return False
    return priority.rank < incident.priority.rank


def held_at(timeline: Sequence[TimelineEntry]) -> Priority | None:
    """How urgent it was when a person last lowered it; None when alerts rank it."""
    for line in reversed(timeline):
        if line.kind is TimelineKind.PRIORITY:
            was, now = line.data.get("from"), line.data.get("to")
            if line.data.get("by_itself") or not isinstance(was, str) or not isinstance(now, str):
                return None
            return Priority(was) if Priority(was).rank < Priority(now).rank else None
    return None


def _one(incident: str, alert: Alert, at: datetime) -> TimelineEntry:
    name = alert.labels.get(ALERTNAME, alert.fingerprint)
    fires = alert.status is AlertStatus.FIRING
    said = f": {title_of(alert)}" if fires else ""
    when = alert.starts_at if fires else alert.ends_at or at
    text = bounded(f"{name} {'fires' if fires else 'ended'}{said}", LONGEST_TITLE * 2)
    data = {"fingerprint": alert.fingerprint, "starts_at": alert.starts_at.isoformat(), "status": alert.status.value}
    id_ = f"alert:{alert_id(alert)}:{alert.status.value}"
    return TimelineEntry(id_, incident, when, TimelineKind.ALERT, text, "", data)


def _many(incident: str, alerts: Sequence[Alert], status: AlertStatus, at: datetime) -> TimelineEntry:
    names = Counter(alert.labels.get(ALERTNAME, alert.fingerprint) for alert in alerts).most_common()
    shown = ", ".join(f"{name} × {count}" for name, count in names[:_MOST_NAMES])
    rest = f" and {len(names) - _MOST_NAMES} other names" if len(names) > _MOST_NAMES else ""
    verb = "fire" if status is AlertStatus.FIRING else "ended"
    text = bounded(f"{len(alerts)} alerts {verb}: {shown}{rest}", LONGEST_TITLE * 2)
    digest = hashlib.sha256("\n".join(sorted(map(alert_id, alerts))).encode()).hexdigest()[:20]
    data = {"count": len(alerts), "status": status.value}
    return TimelineEntry(f"alerts:{digest}:{status.value}", incident, at, TimelineKind.ALERT, text, "", data)
