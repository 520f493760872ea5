"""Which alerts are one incident, what it is called, and how urgent it is. Pure, and the same without a database.

An incident's key is the first route that takes an alert and the alert's values of that route's `groupBy` labels.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from alerts.incidents.writing import LONGEST_TEXT, LONGEST_TITLE, bounded
from alerts.routing.model import Routed
from alerts.told import alert_id
from controlplane import conventions
from controlplane.model.alert import Alert
from controlplane.model.incident import Incident, IncidentState, Origin, Priority

ALERTNAME: Final = "alertname"
MOST_ROUTES: Final = 50
_KEY_DIGITS: Final = 32
_ID_DIGITS: Final = 20


@dataclass(frozen=True, slots=True)
class Placed:
    """An alert, the key of its incident, and the routes by which it is told now; one at least."""

    alert: Alert
    key: str
    routed: tuple[Routed, ...]

    @property
    def priority(self) -> Priority:
        """The most urgent of its routes'."""
        return min((each.priority for each in self.routed), key=lambda each: each.rank)

    @property
    def policy(self) -> str:
        """Of escalation: that of its most urgent route that has one; empty when none has."""
        ranked = sorted(self.routed, key=lambda each: each.priority.rank)
        return next((each.escalation for each in ranked if each.escalation), "")


def incident_key(first: Routed, labels: Mapping[str, str]) -> str:
    """The key of the incident of an alert with these labels whose first route is `first`.

    An alert that has none of the labels that it is grouped by is grouped by its name: things that have nothing in
    common are no one incident. What a ladder tells of itself and what Prometheus tells of it are the same.
    """
    name, ladder = labels.get(ALERTNAME, ""), labels.get(conventions.LADDER, "")
    if ladder and name in conventions.TOLD_BY_LADDERS:
        return _digest(["ladder", name, ladder], _KEY_DIGITS)
    values = [[label, labels.get(label, "")] for label in sorted(set(first.group_by))]
    if not any(value for _, value in values):
        values.append([ALERTNAME, name])
    return _digest([first.route, values], _KEY_DIGITS)


def incident_id(key: str, alerts: Iterable[Alert]) -> str:
    """The id of the incident that these alerts of a key open: made from the first of them."""
    return _digest([key, alert_id(min(alerts, key=first_order))], _ID_DIGITS)


def first_order(alert: Alert) -> tuple[datetime, str]:
    """By start, then fingerprint."""
    return alert.starts_at, alert.fingerprint


def by_key(placed: Iterable[Placed]) -> dict[str, list[Placed]]:
    """Those of each key, the most urgent first, then the one that began first; keys in the order of their first."""
    groups: dict[str, list[Placed]] = {}
    for each in sorted(placed, key=_urgency):
        groups.setdefault(each.key, []).append(each)
    return groups


def draft(group: Sequence[Placed], at: datetime, repeats: str = "") -> Incident:
    """The incident that these alerts of one key open at `at`, not yet numbered. `group` is ordered as by `by_key`."""
    alerts, leading = [each.alert for each in group], group[0]
    return Incident(
        id=incident_id(leading.key, alerts),
        key=leading.key,
        title=title_of(leading.alert),
        priority=leading.priority,
        state=IncidentState.OPEN,
        origin=Origin.ALERTS,
        started_at=min(at, *(alert.starts_at for alert in alerts)),  # some tools write starts that are to come
        opened_at=at,
        updated_at=at,
        service=service_of(alerts),
        summary=summary_of(leading.alert),
        policy=next((each.policy for each in group if each.policy), ""),
        routes=routes_of(group),
        receivers=receivers_of(group),
        labels=common([alert.labels for alert in alerts]),
        repeats=repeats,
    )


def title_of(alert: Alert) -> str:
    """What people read first: the alert's summary, else its name and what it is about."""
    name = alert.labels.get(ALERTNAME, alert.fingerprint)
    about = alert.labels.get(conventions.SLO) or alert.labels.get(conventions.SERVICE) or ""
    said = " ".join(alert.annotations.get(conventions.SUMMARY, "").split())
    return bounded(said or f"{name} {about}".strip(), LONGEST_TITLE)


def summary_of(alert: Alert) -> str:
    """What more the alert says."""
    return bounded(alert.annotations.get(conventions.DESCRIPTION, ""), LONGEST_TEXT)


def service_of(alerts: Iterable[Alert]) -> str:
    """The service that all of them are about; empty when they are about several or none."""
    found = {alert.labels.get(conventions.SERVICE, "") for alert in alerts}
    return found.pop() if len(found) == 1 else ""


def routes_of(group: Iterable[Placed], before: Sequence[str] = ()) -> tuple[str, ...]:
    """Names of their routes, after those there were before, each once."""
    return tuple(dict.fromkeys([*before, *(each.route for one in group for each in one.routed)]))[:MOST_ROUTES]


def receivers_of(group: Iterable[Placed], before: Sequence[str] = ()) -> tuple[str, ...]:
    """Names of their receivers, after those there were before, each once."""
    found = (name for one in group for each in one.routed for name in each.receivers)
    return tuple(dict.fromkeys([*before, *found]))


def common(labels: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The labels that all have with the same value."""
    shared = dict(labels[0]) if labels else {}
    for each in labels[1:]:
        shared = {name: value for name, value in shared.items() if each.get(name) == value}
    return shared


def _urgency(placed: Placed) -> tuple[int, datetime, str]:
    return placed.priority.rank, *first_order(placed.alert)


def _digest(material: object, digits: int) -> str:
    return hashlib.sha256(json.dumps(material, ensure_ascii=True).encode()).hexdigest()[:digits]
