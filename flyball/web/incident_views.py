"""Incidents in words and as JSON, for the console."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from controlplane import wording
from controlplane.model.event import JSON
from controlplane.model.follow_up import Action, RunbookRun
from controlplane.model.incident import (
    DeliveryAttempt,
    DueStep,
    Incident,
    IncidentState,
    OutsideObject,
    PriceTag,
    Priority,
    Suspect,
    TimelineEntry,
)
from flyball.web.incident_gathering import IncidentFile

_CHIPS: Final = {Priority.P0: "page", Priority.P1: "page", Priority.P2: "ticket", Priority.P3: "ticket"}


def chip_of(priority: Priority) -> str:
    """The mark that stands with a priority."""
    return _CHIPS.get(priority, "ok")


def state_in_words(incident: Incident) -> str:
    """Where it stands, and who has it."""
    if incident.state is IncidentState.RESOLVED:
        return f"resolved by {incident.resolved_by}" if incident.resolved_by else "resolved"
    if incident.state is IncidentState.ACKNOWLEDGED:
        return f"acknowledged by {incident.acknowledged_by}"
    return "open, nobody has it"


def summary(incidents: Sequence[Incident]) -> str:
    """How all of the open ones stand, in a sentence."""
    if not incidents:
        return "No incident is open."
    unowned = sum(each.acknowledged_at is None for each in incidents)
    counted = f"{len(incidents)} incident{' is' if len(incidents) == 1 else 's are'} open"
    return f"{counted}, {unowned or 'none'} of {'it' if len(incidents) == 1 else 'them'} not acknowledged."


def lasted(incident: Incident, now: datetime) -> str:
    """How long it went on, or goes on."""
    return wording.duration(max(incident.resolved_at or now, incident.started_at) - incident.started_at)


def price_in_words(price: PriceTag) -> list[tuple[str, str]]:
    """What it cost, a line each: what, and how much. What is not known is not there."""
    lines = [(f"Error budget of {slo}", wording.percent(float(share))) for slo, share in price.budget_burned]
    lines += [(f"Extra spend, {of}", wording.money(amount, unit)) for of, amount, unit in price.extra_spend]
    if price.failed_operations is not None:
        lines.append(("Failed operations", wording.count(float(price.failed_operations))))
    return lines


def target_in_words(target: str) -> str:
    """Whom a step of an escalation tells."""
    kind, _, name = target.partition(":")
    return f"whoever is on call in {name}" if kind == "schedule" else name


def step_state(step: DueStep, now: datetime) -> str:
    """Where a step of an escalation stands."""
    if step.fired_at is not None:
        return f"told {', '.join(step.told) or 'nobody: nobody is on call'}"
    if step.cancelled_at is not None:
        return "not needed"
    return f"in {wording.duration(step.due_at - now)}" if step.due_at > now else "due"


def incident_data(one: Incident) -> dict[str, JSON]:
    """An incident as JSON."""
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
        "price": _price(one.price),
        "suspects": [_suspect(each) for each in one.suspects],
    }


def file_data(file: IncidentFile) -> dict[str, JSON]:
    """All that is known of an incident, as JSON."""
    return {
        **incident_data(file.seen.incident),
        "alerts": [
            {
                "fingerprint": alert.fingerprint,
                "status": alert.status.value,
                "starts_at": _time(alert.starts_at),
                "ends_at": _time(alert.ends_at),
                "labels": dict(alert.labels),
                "annotations": dict(alert.annotations),
            }
            for alert in file.seen.alerts
        ],
        "alert_count": file.seen.alert_count,
        "firing_count": file.seen.firing_count,
        "runbooks": [{"text": link.text, "url": link.url} for link in file.seen.runbooks],
        "timeline": [_line(entry) for entry in file.seen.timeline],
        "escalations": [_step(step) for step in file.steps],
        "outside": [_object(each) for each in file.objects],
        "attempts": [_attempt(each) for each in file.attempts],
        "runs": [_run(each) for each in file.runs],
        "actions": [_action(each) for each in file.actions],
        "earlier": [each.id for each in file.earlier],
    }


def _price(price: PriceTag | None) -> dict[str, JSON] | None:
    if price is None:
        return None
    return {
        "as_of": _time(price.as_of),
        "budget_burned": {slo: str(share) for slo, share in price.budget_burned},
        "extra_spend": [{"budget": of, "amount": str(much), "currency": unit} for of, much, unit in price.extra_spend],
        "failed_operations": _number(price.failed_operations),
        "note": price.note or None,
    }


def _suspect(each: Suspect) -> dict[str, JSON]:
    return {
        "at": _time(each.at),
        "kind": each.kind,
        "subject": each.subject,
        "text": each.text,
        "score": str(each.score),
        "reasons": list(each.reasons),
    }


def _line(entry: TimelineEntry) -> dict[str, JSON]:
    told: Mapping[str, JSON] = entry.data
    return {
        "id": entry.id,
        "at": _time(entry.at),
        "kind": entry.kind.value,
        "actor": entry.actor or None,
        "text": entry.text,
        "data": dict(told),
    }


def _step(step: DueStep) -> dict[str, JSON]:
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


def _object(each: OutsideObject) -> dict[str, JSON]:
    return {
        "channel": each.channel,
        "id": each.outside_id,
        "place": each.place or None,
        "url": each.url or None,
        "told_version": each.told_version,
        "opened_at": _time(each.opened_at),
        "closed_at": _time(each.closed_at),
    }


def _attempt(each: DeliveryAttempt) -> dict[str, JSON]:
    return {
        "at": _time(each.at),
        "channel": each.channel,
        "outcome": each.outcome.value,
        "attempt": each.attempt,
        "detail": each.detail or None,
        "message": each.message,
    }


def _run(each: RunbookRun) -> dict[str, JSON]:
    return {"id": each.id, "runbook": each.runbook, "state": each.state.value, "dry_run": each.is_dry, "by": each.actor}


def _action(each: Action) -> dict[str, JSON]:
    return {
        "id": each.id,
        "title": each.title,
        "owner": each.owner,
        "due": each.due.isoformat(),
        "state": each.state.value,
    }


def _number(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
