"""An incident as events of PagerDuty's Events API v2, within its limits. Pure.

https://developer.pagerduty.com/docs/events-api-v2-overview: `summary` at most 1,024 characters, `dedup_key` at most
255, the whole at most 512 KB.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Final

from alerts.messages.words import (
    alert_line,
    alerts_line,
    headline,
    plain,
    price_lines,
    said_by_alerts,
    state_of,
    suspect_line,
)
from alerts.model import Link, Snapshot
from controlplane.model.event import JSON
from controlplane.model.incident import Incident, IncidentState, Priority

MOST_SUMMARY: Final = 1024
MOST_KEY: Final = 255
MOST_LINKS: Final = 10
CLIENT: Final = "Flyball"
_MOST_LINES: Final = 10
_MOST_LABELS: Final = 30
_MOST_TEXT: Final = 400  # characters of one line; all of them together stay below 512 KB
_MOST_URL: Final = 2000
_MOST_NAME: Final = 200
_PREFIX: Final = "flyball"
_SEVERITIES: Final = {
    Priority.P0: "critical",
    Priority.P1: "critical",
    Priority.P2: "error",
    Priority.P3: "warning",
    Priority.P4: "info",
}


class Action(Enum):
    """`event_action`."""

    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


class Standing(Enum):
    """How PagerDuty's incident stands, as far as our events moved it."""

    UNKNOWN = ""  # it was never triggered, as far as we know
    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


AFTER: Final = {
    Action.TRIGGER: Standing.TRIGGERED,
    Action.ACKNOWLEDGE: Standing.ACKNOWLEDGED,
    Action.RESOLVE: Standing.RESOLVED,
}


def actions_for(state: IncidentState, standing: Standing, *, is_changed: bool) -> tuple[Action, ...]:
    """What brings PagerDuty from `standing` to `state`, in order. `is_changed`: what its page says is out of date.

    An incident that was over before its trigger left is triggered all the same, then resolved: it was a page. One whose
    acknowledgement lapsed is resolved and triggered anew, for a trigger alone wakes nobody up while it is acknowledged.
    """
    unknown = standing in (Standing.UNKNOWN, Standing.RESOLVED)
    if state is IncidentState.RESOLVED:
        if standing is Standing.RESOLVED:
            return ()
        return (Action.TRIGGER, Action.RESOLVE) if standing is Standing.UNKNOWN else (Action.RESOLVE,)
    if state is IncidentState.ACKNOWLEDGED:
        if standing is Standing.ACKNOWLEDGED:
            return ()
        return (Action.TRIGGER, Action.ACKNOWLEDGE) if unknown else (Action.ACKNOWLEDGE,)
    if standing is Standing.ACKNOWLEDGED:
        return (Action.RESOLVE, Action.TRIGGER)
    return (Action.TRIGGER,) if unknown or is_changed else ()


def dedup_key(incident: Incident, channel: str) -> str:
    """The same for every event about this incident to this channel, with or without a database."""
    key = f"{_PREFIX}/{incident.id}/{channel}"
    if len(key) <= MOST_KEY:
        return key
    return f"{_PREFIX}/{incident.id}/{hashlib.sha256(channel.encode()).hexdigest()[:32]}"


def incident_of_key(key: str) -> str:
    """The id of the incident that a key of ours is about; empty for a key of others."""
    prefix, _, rest = key.partition("/")
    incident, slash, _ = rest.partition("/")
    return incident if prefix == _PREFIX and slash else ""


def page_digest(snapshot: Snapshot) -> str:
    """Changes when the page would read otherwise at first sight: who has it in hand is not woken up by the rest."""
    seen = [summary(snapshot), severity(snapshot.incident)]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:16]


def severity(incident: Incident) -> str:
    """PagerDuty's word for the priority."""
    return _SEVERITIES[incident.priority]


def summary(snapshot: Snapshot) -> str:
    """What is read out on the telephone."""
    return _short(headline(snapshot.incident), MOST_SUMMARY)


def trigger(snapshot: Snapshot) -> dict[str, JSON]:
    """Everything of a trigger but its keys."""
    incident = snapshot.incident
    payload: dict[str, JSON] = {
        "summary": summary(snapshot),
        "source": _short(plain(incident.service), _MOST_NAME) or _PREFIX,
        "severity": severity(incident),
        "timestamp": incident.started_at.isoformat(),
        "custom_details": dict(_details(snapshot)),
    }
    if incident.service:
        payload["component"] = _short(plain(incident.service), _MOST_NAME)
    if name := incident.labels.get("alertname", ""):
        payload["class"] = _short(plain(name), _MOST_NAME)
    links = list(_links(snapshot))
    event: dict[str, JSON] = {"payload": payload, "client": CLIENT, "links": links}
    if _is_url(snapshot.page_url):
        event["client_url"] = snapshot.page_url
    return event


def _details(snapshot: Snapshot) -> Iterator[tuple[str, JSON]]:
    """Those that say something, the most useful first."""
    incident = snapshot.incident
    found: dict[str, str | list[str]] = {
        "state": state_of(snapshot),
        "what": _lines(said_by_alerts(snapshot)),
        "price": _lines(price_lines(incident.price)),
        "suspects": _lines(suspect_line(each, incident) for each in incident.suspects),
        "alerts": alerts_line(snapshot),
        "firing": _lines(map(alert_line, snapshot.alerts)),
        "runbooks": _lines(each.url for each in snapshot.runbooks if _is_url(each.url)),
        "told": _lines(snapshot.on_call),
        "repeats": incident.repeats,
        "incident": incident.id,
    }
    for name, value in found.items():
        if value:
            yield name, _short(value, _MOST_TEXT) if isinstance(value, str) else list[JSON](value)
    if incident.labels:
        yield "labels", _labels(incident.labels)


def _labels(labels: Mapping[str, str]) -> dict[str, JSON]:
    shown = sorted(labels.items())[:_MOST_LABELS]
    return {_short(plain(name), _MOST_NAME): _short(plain(value), _MOST_TEXT) for name, value in shown}


def _links(snapshot: Snapshot) -> Iterator[JSON]:
    first = [Link("Incident", snapshot.page_url)] if snapshot.page_url else []
    usable = [link for link in (*first, *snapshot.runbooks, *snapshot.links) if _is_url(link.url)]
    for link in usable[:MOST_LINKS]:
        yield {"href": link.url, "text": _short(plain(link.text), _MOST_NAME) or link.url[:_MOST_NAME]}


def _is_url(text: str) -> bool:
    return text.startswith(("https://", "http://")) and len(text) <= _MOST_URL and text.isprintable()


def _lines(texts: Iterable[str]) -> list[str]:
    lines = [_short(plain(text), _MOST_TEXT) for text in texts]
    shown = [line for line in lines if line][:_MOST_LINES]
    left = len(lines) - len(shown)
    return [*shown, f"… and {left:,} more"] if left > 0 and len(lines) > _MOST_LINES else shown


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
