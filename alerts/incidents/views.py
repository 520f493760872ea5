"""Incidents as text for terminals and as JSON. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alerts.escalation.planning import is_pending
from alerts.incidents.page import IncidentPage
from alerts.messages import words
from controlplane import wording
from controlplane.model.alert import Alert
from controlplane.model.event import JSON
from controlplane.model.incident import (
    DeliveryAttempt,
    DueStep,
    Incident,
    IncidentState,
    OutsideObject,
    PriceTag,
    Suspect,
    TimelineEntry,
)

_WIDTH: Final = 80
_INDENT: Final = "  "
_LAST_LINES: Final = 10
_MOST_ALERTS: Final = 10


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    width: int


_COLUMNS: Final = (
    _Column("NAME", 8),
    _Column("PRIO", 4),
    _Column("STATE", 12),
    _Column("SINCE", 16),
    _Column("FOR", 10),
)


def incidents_text(incidents: Sequence[Incident], now: datetime) -> str:
    """A table of at most 80 columns; text that does not fit ends in `…`."""
    header = " ".join(f"{column.title:<{column.width}}" for column in _COLUMNS) + " TITLE"
    return "\n".join([header, *(_row(each, now) for each in incidents)])


def incident_text(page: IncidentPage) -> str:
    """All about one incident: how it stands, what it costs, who is told, what may be the cause, what happened."""
    incident, seen = page.seen.incident, page.seen
    lines = [words.headline(incident), words.state_of(seen)]
    lines += list(words.said_by_alerts(seen))[:1]
    lines += [f"{name + ':':<12}{text}" for name, text in _facts(page)]
    lines += _section("Cost so far", words.price_lines(incident.price))
    lines += _section("Suspects", [words.suspect_line(each, incident) for each in incident.suspects])
    lines += _section("Alerts", [words.alert_line(each) for each in seen.alerts[:_MOST_ALERTS]])
    lines += _section("Escalation", _escalation(page.steps, seen.taken_at))
    lines += _section("Shown in", [_shown(each) for each in page.outside])
    lines += _section("What happened", [timeline_line(each) for each in seen.timeline[-_LAST_LINES:]])
    left_out = len(seen.timeline) - _LAST_LINES
    if left_out > 0:
        lines.append(f"{_INDENT}{left_out} earlier: flyball incidents timeline {incident.name}")
    return "\n".join(lines)


def timeline_text(timeline: Sequence[TimelineEntry]) -> str:
    """One line each, times in UTC."""
    return "\n".join(timeline_line(each) for each in timeline)


def timeline_line(entry: TimelineEntry) -> str:
    """`2026-12-01 03:04:05 note         rolled back (ann)`."""
    text = words.plain(entry.text)
    by = f" ({words.plain(entry.actor)})" if entry.actor and entry.actor not in text else ""
    return f"{entry.at:%Y-%m-%d %H:%M:%S} {entry.kind.value:<12} {text}{by}"


def changed_text(incident: Incident, verb: str, *, is_new: bool) -> str:
    """`INC-7 acknowledged: P1 checkout burns its budget`; that it was so before is said."""
    before = "" if is_new else " already"
    return f"{incident.name} {verb}{before}: {incident.priority.value} {words.plain(incident.title)}"


def _row(incident: Incident, now: datetime) -> str:
    length = wording.duration(max((incident.resolved_at or now) - incident.started_at, timedelta(0)))
    cells = (
        incident.name,
        incident.priority.value,
        incident.state.value,
        f"{incident.opened_at:%Y-%m-%d %H:%M}",
        length,
    )
    start = " ".join(_fit(cell, column.width) for cell, column in zip(cells, _COLUMNS, strict=True))
    title = words.plain(f"{words.EXERCISE} {incident.title}" if incident.is_drill else incident.title)
    return f"{start} {_fit(title, _WIDTH - len(start) - 1)}".rstrip()


def _facts(page: IncidentPage) -> Iterator[tuple[str, str]]:
    incident, seen = page.seen.incident, page.seen
    if incident.service:
        yield "service", words.plain(incident.service)
    if alerts := words.alerts_line(seen):
        yield "alerts", alerts
    if incident.state is IncidentState.ACKNOWLEDGED:
        yield "has it", words.plain(incident.acknowledged_by)
    for role, who in incident.roles.items():
        yield words.plain(role), words.plain(who)
    if incident.receivers:
        yield "told", ", ".join(incident.receivers)
    for link in seen.runbooks:
        yield "runbook", link.url
    for link in seen.links:
        yield link.text.lower(), link.url
    if seen.page_url:
        yield "page", seen.page_url
    if page.earlier:
        yield "repeats", ", ".join(each.name for each in page.earlier[:5])


def _escalation(steps: Sequence[DueStep], now: datetime) -> list[str]:
    lines = []
    for step in steps:
        targets = ", ".join(step.targets)
        if step.fired_at is not None:
            lines.append(f"{step.fired_at:%H:%M:%S} told {', '.join(step.told) or 'nobody'} ({targets})")
        elif is_pending(step):
            when = f"in {wording.duration(step.due_at - now)}" if step.due_at > now else "now"
            lines.append(f"{step.due_at:%H:%M:%S} {targets} {when}")
    return lines


def _shown(each: OutsideObject) -> str:
    closed = f", closed {each.closed_at:%H:%M:%S}" if each.closed_at else ""
    return f"{each.channel} {each.url or each.outside_id}{closed}"


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return ["", title, *(f"{_INDENT}{line}" for line in lines)] if lines else []


def _fit(text: str, width: int) -> str:
    return f"{text if len(text) <= width else text[: width - 1] + '…':<{width}}"


def incident_data(one: Incident) -> dict[str, JSON]:
    """An incident as JSON; what is not known is null."""
    return {
        "id": one.id,
        "name": one.name,
        "title": one.title,
        "summary": one.summary,
        "priority": one.priority.value,
        "state": one.state.value,
        "origin": one.origin.value,
        "service": one.service,
        "started_at": _time(one.started_at),
        "opened_at": _time(one.opened_at),
        "acknowledged_at": _time(one.acknowledged_at),
        "acknowledged_by": one.acknowledged_by or None,
        "quiet_since": _time(one.quiet_since),
        "resolved_at": _time(one.resolved_at),
        "resolved_by": one.resolved_by or None,
        "resolution": one.resolution or None,
        "routes": list(one.routes),
        "receivers": list(one.receivers),
        "escalation": one.policy or None,
        "labels": dict(one.labels),
        "roles": dict(one.roles),
        "repeats": one.repeats or None,
        "version": one.version,
        "price": price_data(one.price),
        "suspects": [suspect_data(each) for each in one.suspects],
    }


def page_data(page: IncidentPage) -> dict[str, JSON]:
    """All that is known of an incident, as JSON."""
    return {
        **incident_data(page.seen.incident),
        "alerts": [alert_data(alert) for alert in page.seen.alerts],
        "alert_count": page.seen.alert_count,
        "firing_count": page.seen.firing_count,
        "runbooks": [{"text": link.text, "url": link.url} for link in page.seen.runbooks],
        "links": [{"text": link.text, "url": link.url} for link in page.seen.links],
        "page_url": page.seen.page_url or None,
        "timeline": [entry_data(entry) for entry in page.seen.timeline],
        "escalations": [step_data(step) for step in page.steps],
        "outside": [outside_data(each) for each in page.outside],
        "attempts": [attempt_data(each) for each in page.attempts],
        "earlier": [each.id for each in page.earlier],
    }


def alert_data(alert: Alert) -> dict[str, JSON]:
    """An alert as JSON."""
    return {
        "fingerprint": alert.fingerprint,
        "status": alert.status.value,
        "starts_at": _time(alert.starts_at),
        "ends_at": _time(alert.ends_at),
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
    }


def price_data(price: PriceTag | None) -> dict[str, JSON] | None:
    """A price tag as JSON; ratios and money are decimal strings."""
    if price is None:
        return None
    failed = price.failed_operations
    return {
        "as_of": _time(price.as_of),
        "budget_burned": {slo: f"{share:f}" for slo, share in price.budget_burned},
        "extra_spend": [
            {"budget": of, "amount": f"{much:f}", "currency": unit} for of, much, unit in price.extra_spend
        ],
        "failed_operations": None if failed is None else f"{failed:f}",
        "note": price.note or None,
    }


def suspect_data(each: Suspect) -> dict[str, JSON]:
    """A suspect as JSON."""
    return {
        "at": _time(each.at),
        "kind": each.kind,
        "subject": each.subject,
        "text": each.text,
        "score": f"{each.score:f}",
        "reasons": list(each.reasons),
    }


def entry_data(entry: TimelineEntry) -> dict[str, JSON]:
    """A line of a timeline as JSON."""
    return {
        "id": entry.id,
        "at": _time(entry.at),
        "kind": entry.kind.value,
        "actor": entry.actor or None,
        "text": entry.text,
        "data": dict(entry.data),
    }


def step_data(step: DueStep) -> dict[str, JSON]:
    """A step of an escalation as JSON."""
    return {
        "policy": step.policy,
        "round": step.round,
        "step": step.step,
        "due_at": _time(step.due_at),
        "targets": list(step.targets),
        "fired_at": _time(step.fired_at),
        "cancelled_at": _time(step.cancelled_at),
        "told": list(step.told),
    }


def outside_data(each: OutsideObject) -> dict[str, JSON]:
    """Something that was opened outside, as JSON."""
    return {
        "channel": each.channel,
        "id": each.outside_id,
        "place": each.place or None,
        "url": each.url or None,
        "told_version": each.told_version,
        "opened_at": _time(each.opened_at),
        "closed_at": _time(each.closed_at),
    }


def attempt_data(each: DeliveryAttempt) -> dict[str, JSON]:
    """An attempt to deliver, as JSON."""
    return {
        "at": _time(each.at),
        "channel": each.channel,
        "outcome": each.outcome.value,
        "attempt": each.attempt,
        "detail": each.detail or None,
        "message": each.message,
    }


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
