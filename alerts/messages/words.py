"""What is said of an incident, in the same words everywhere: what it is, since when, who has it, what it costs."""

import unicodedata
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from alerts.model import Snapshot
from controlplane import conventions
from controlplane.model.alert import Alert, AlertStatus
from controlplane.model.incident import Incident, IncidentState, PriceTag, Suspect, TimelineEntry, TimelineKind
from controlplane.wording import count, duration, money, percent

EXERCISE: Final = "EXERCISE"
_KINDS: Final = {
    TimelineKind.ESCALATED: "Escalation",
    TimelineKind.DEPLOYMENT: "Deployment",
    TimelineKind.FLAG: "Flag",
    TimelineKind.TIER: "Tier",
    TimelineKind.RULES: "Rules",
    TimelineKind.COST: "Cost",
    TimelineKind.ANOMALY: "Anomaly",
    TimelineKind.PROBE: "Probe",
    TimelineKind.STATUS: "Status page",
    TimelineKind.RUNBOOK: "Runbook",
    TimelineKind.TICKET: "Ticket",
    TimelineKind.ACTION: "Action",
    TimelineKind.NOTE: "Note",
}


def name_of(incident: Incident) -> str:
    """`INC-7`; one that the database has not numbered yet has no name."""
    return incident.name if incident.number else ""


def headline(incident: Incident) -> str:
    """`P1 INC-7: Checkout fails`; an exercise says so first."""
    head = " ".join(filter(None, [EXERCISE if incident.is_drill else "", incident.priority.value, name_of(incident)]))
    return f"{head}: {plain(incident.title) or 'an incident'}"


def state_word(snapshot: Snapshot) -> str:
    """`Firing`, `Open` when no alert of it fires, `Acknowledged` or `Resolved`."""
    if snapshot.incident.state is IncidentState.OPEN and snapshot.firing_count:
        return "Firing"
    return snapshot.incident.state.value.capitalize()


def state_of(snapshot: Snapshot) -> str:
    """How it stands: `Firing for 12 min`, `Acknowledged by ann, firing for 12 min`, `Resolved by ann after 1 h`."""
    incident = snapshot.incident
    if incident.state is IncidentState.RESOLVED:
        ended = incident.resolved_at or snapshot.taken_at
        by = f" by {plain(incident.resolved_by)}" if incident.resolved_by else ""
        why = f": {plain(incident.resolution)}" if incident.resolution else ""
        return f"Resolved{by} after {duration(ended - incident.started_at)}{why}"
    since = _since(snapshot)
    if incident.state is IncidentState.ACKNOWLEDGED:
        by = f" by {plain(incident.acknowledged_by)}" if incident.acknowledged_by else ""
        return f"Acknowledged{by}, {since}"
    return f"{since[0].upper()}{since[1:]}"


def _since(snapshot: Snapshot) -> str:
    incident = snapshot.incident
    if snapshot.alert_count and not snapshot.firing_count:
        quiet = incident.quiet_since or snapshot.taken_at
        return f"quiet for {_length(snapshot.taken_at - quiet)}"
    word = "firing" if snapshot.firing_count else "open"
    return f"{word} for {_length(snapshot.taken_at - incident.started_at)}"


def _length(length: timedelta) -> str:
    return duration(max(length, timedelta(0)))


def alerts_line(snapshot: Snapshot) -> str:
    """`3 firing of 5`; empty where there is none."""
    if not snapshot.alert_count:
        return ""
    return f"{snapshot.firing_count:,} firing of {snapshot.alert_count:,}"


def price_lines(price: PriceTag | None) -> list[str]:
    """What it costs so far, a line each; empty while nothing is known."""
    if price is None:
        return []
    lines = [f"{percent(float(share))} of the error budget of {plain(slo)}" for slo, share in price.budget_burned]
    lines += [
        f"{money(amount, currency)} more than expected on {plain(budget)}"
        for budget, amount, currency in price.extra_spend
        if amount > Decimal(0)
    ]
    if price.failed_operations is not None:
        lines.append(f"{count(float(price.failed_operations))} failed operations")
    return lines


def suspect_line(suspect: Suspect, incident: Incident) -> str:
    """`4 min before: checkout 2.3.1 was deployed (same service)`."""
    before = incident.started_at - suspect.at
    when = f"{duration(before)} before" if before >= timedelta(0) else f"{duration(-before)} after it began"
    reasons = f" ({', '.join(map(plain, suspect.reasons))})" if suspect.reasons else ""
    return f"{when}: {plain(suspect.text or suspect.subject)}{reasons}"


def alert_line(alert: Alert) -> str:
    """`CheckoutErrors slo=checkout: what it says`; one that has ended says so."""
    name = plain(alert.labels.get("alertname", alert.fingerprint))
    slo = alert.labels.get(conventions.SLO)
    head = f"{name} slo={plain(slo)}" if slo else name
    ended = " (ended)" if alert.status is AlertStatus.RESOLVED else ""
    said = plain(alert.annotations.get(conventions.SUMMARY, ""))
    return f"{head}{ended}: {said}" if said else f"{head}{ended}"


def said_by_alerts(snapshot: Snapshot) -> Iterator[str]:
    """What is worth reading in full: the incident's own summary, then what its first alert describes, each once."""
    first = snapshot.alerts[0].annotations if snapshot.alerts else {}
    texts = [snapshot.incident.summary, first.get(conventions.DESCRIPTION, "")]
    if worst := first.get(conventions.WORST, ""):
        texts.append(f"Worst: {worst}")
    seen = {snapshot.incident.title}
    for text in filter(None, map(paragraph, texts)):
        if text not in seen:
            seen.add(text)
            yield text


def timeline_line(entry: TimelineEntry) -> str:
    """What happened, and who did it, without its time."""
    kind = _KINDS.get(entry.kind, "")
    text = plain(entry.text)
    by = f" ({plain(entry.actor)})" if entry.actor and entry.actor not in text else ""
    return f"{kind}: {text}{by}" if kind and not text.startswith(kind) else f"{text}{by}"


def runbook_name(text: str) -> str:
    """`Runbook: Gateway outage`; what says so itself is left as it is."""
    name = plain(text)
    return name if name.lower().startswith("runbook") else f"Runbook: {name}" if name else "Runbook"


def clock(at: datetime) -> str:
    """`12:34:56 UTC`."""
    return f"{at:%H:%M:%S} UTC"


def plain(text: str) -> str:
    """On one line, without control characters and marks that turn the direction of text."""
    return _printable(" ".join(text.split()))


def paragraph(text: str) -> str:
    """The same, with its lines kept."""
    lines = (_printable(" ".join(line.split())) for line in text.splitlines())
    return "\n".join(filter(None, lines))


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(character for character in text if unicodedata.category(character)[0] != "C")
