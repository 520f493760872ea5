"""Why somebody was told or not, as text and as JSON."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from alerts.explaining.decisions import Decision, ExplainedAlert, said
from alerts.explaining.why import Why
from alerts.routing.model import Routed
from alerts.routing.router import told_when
from controlplane import wording
from controlplane.model.event import JSON
from controlplane.model.incident import AttemptOutcome, DeliveryAttempt, DueStep, Incident, IncidentState

_MOST_ATTEMPTS: Final = 50
_INDENT: Final = "  "


def why_text(made: Why) -> str:
    """A part for each thing that decided; parts with nothing to say are left out."""
    lines = [made.verdict]
    for title, content in (
        ("Incident", list(_incident(made.incident)) if made.incident else []),
        ("Alerts", list(_alerts(made))),
        ("Told", list(_told(made.attempts))),
        ("Waiting", [_waiting(made)] if made.waiting else []),
        ("Not told", list(made.untold)),
        ("Escalation", [_step(each) for each in made.steps]),
        ("Opened outside", list(_outside(made))),
        ("Service was reduced", list(made.tiers)),
        ("Not asked", [made.fault] if made.fault else []),
    ):
        if content:
            lines += ["", title, *(f"{_INDENT}{line}" for line in content)]
    return "\n".join(lines)


def _incident(incident: Incident) -> Iterator[str]:
    yield f"{incident.name}  {incident.priority.value}  {incident.state.value}  {incident.title}"
    yield f"opened {_at(incident.opened_at)}, its first alert began {_at(incident.started_at)}"
    if incident.routes:
        yield f"routes {', '.join(incident.routes)}; receivers {', '.join(incident.receivers) or 'none'}"
    if incident.acknowledged_at is not None:
        yield f"acknowledged {_at(incident.acknowledged_at)} by {incident.acknowledged_by}"
    if incident.state is IncidentState.RESOLVED and incident.resolved_at is not None:
        by = f" by {incident.resolved_by}" if incident.resolved_by else ""
        yield f"resolved {_at(incident.resolved_at)}{by}"


def _alerts(made: Why) -> Iterator[str]:
    for each in made.alerts:
        yield from _alert(each)
    if made.alert_count > len(made.alerts):
        yield f"and {made.alert_count - len(made.alerts)} more"


def _alert(each: ExplainedAlert) -> Iterator[str]:
    alert = each.alert
    yield f"{said(each.labels)} ({each.fingerprint})" if each.labels else each.fingerprint
    if each.stored is not None and alert is not None:
        ended = f", ended {_at(alert.ends_at)}" if alert.ends_at else ""
        took = wording.duration(each.stored.first_received_at - alert.starts_at)
        yield f"{_INDENT}began {_at(alert.starts_at)}, reached us {took} later{ended}"
    for receipt in each.receipts:
        times = f"{receipt.deliveries} time{'' if receipt.deliveries == 1 else 's'}"
        yield f"{_INDENT}Alertmanager delivered it to {receipt.route} {times}, first {_at(receipt.first_at)}"
    if each.stored is None:
        yield f"{_INDENT}Alertmanager holds it; it never reached us"
    elif not each.receipts:
        yield f"{_INDENT}it did not come by Alertmanager, or its deliveries were forgotten"
    if each.decision is not None:
        yield from (f"{_INDENT}{line}" for line in _decision(each.decision))
    if each.kept_quiet_there:
        yield f"{_INDENT}now: {each.kept_quiet_there}"


def _decision(decision: Decision) -> Iterator[str]:
    yield from decision.passed
    for routed in decision.routed:
        yield from _routed(routed)
    if decision.inhibitor:
        yield f"inhibited then by {decision.inhibitor}"


def _routed(routed: Routed) -> Iterator[str]:
    if routed.tells_nobody:
        yield f"route {routed.route}: tells nobody"
    else:
        escalation = f", escalation {routed.escalation}" if routed.escalation else ""
        yield f"route {routed.route} → {', '.join(routed.receivers) or 'nobody'}{escalation}, {told_when(routed)}"
    yield from (f"{_INDENT}{reason}" for reason in routed.reasons)


def _told(attempts: Sequence[DeliveryAttempt]) -> Iterator[str]:
    """How telling went: the first delivery of a channel, and whatever went wrong; later news in one line a channel."""
    later: dict[str, list[DeliveryAttempt]] = {}
    shown: list[DeliveryAttempt] = []
    for each in attempts:
        if each.outcome is AttemptOutcome.DELIVERED and each.channel in later:
            later[each.channel].append(each)
            continue
        if each.outcome is AttemptOutcome.DELIVERED:
            later[each.channel] = []
        shown.append(each)
    yield from map(_attempt, shown[-_MOST_ATTEMPTS:])
    for channel, news in later.items():
        if news:
            times = f"{len(news)} time{'' if len(news) == 1 else 's'}"
            yield f"{_at(news[-1].at)}  {channel}  brought up to date {times}, last then"


def _attempt(attempt: DeliveryAttempt) -> str:
    number = f" (attempt {attempt.attempt})" if attempt.attempt > 1 else ""
    detail = f": {attempt.detail}" if attempt.detail else ""
    return f"{_at(attempt.at)}  {attempt.channel}  {attempt.outcome.value.replace('_', ' ')}{number}{detail}"


def _waiting(made: Why) -> str:
    channels = ", ".join(sorted({due.message.channel for due in made.waiting}))
    return f"messages for {channels}, since {_at(min(due.enqueued_at for due in made.waiting))}"


def _step(step: DueStep) -> str:
    what = (
        f"{_at(step.due_at)}  {step.policy}, step {step.step + 1}{f' of round {step.round + 1}' if step.round else ''}"
    )
    whom = ", ".join(target.replace(":", " ", 1) for target in step.targets)
    if step.fired_at is not None:
        return f"{what}: {whom}: fired {_at(step.fired_at)}, told {', '.join(step.told) or 'nobody'}"
    if step.cancelled_at is not None:
        return f"{what}: {whom}: called off {_at(step.cancelled_at)}"
    return f"{what}: {whom}: to come"


def _outside(made: Why) -> Iterator[str]:
    for each in made.outside:
        how = f"closed {_at(each.closed_at)}" if each.closed_at else "open"
        yield f"{each.channel}  {each.outside_id}  {how}{f'  {each.url}' if each.url else ''}"


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


# --- JSON -------------------------------------------------------------------------------------------------------------
def why_data(made: Why) -> dict[str, JSON]:
    """Everything, times as ISO 8601 in UTC."""
    incident = made.incident
    return {
        "asked": made.asked,
        "verdict": made.verdict,
        "incident": None if incident is None else _incident_data(incident),
        "alerts": [_alert_data(each) for each in made.alerts],
        "alert_count": made.alert_count,
        "attempts": [
            {
                "at": each.at.isoformat(),
                "channel": each.channel,
                "outcome": each.outcome.value,
                "attempt": each.attempt,
                "detail": each.detail,
            }
            for each in made.attempts
        ],
        "waiting": [*sorted({due.message.channel for due in made.waiting})],
        "not_told": list(made.untold),
        "escalation": [_step_data(each) for each in made.steps],
        "outside": [
            {"channel": each.channel, "id": each.outside_id, "url": each.url, "closed_at": _iso(each.closed_at)}
            for each in made.outside
        ],
        "tiers": list(made.tiers),
        "not_asked": made.fault,
    }


def _incident_data(incident: Incident) -> dict[str, JSON]:
    return {
        "id": incident.id,
        "name": incident.name,
        "title": incident.title,
        "priority": incident.priority.value,
        "state": incident.state.value,
        "origin": incident.origin.value,
        "routes": list(incident.routes),
        "receivers": list(incident.receivers),
        "policy": incident.policy,
        "started_at": incident.started_at.isoformat(),
        "opened_at": incident.opened_at.isoformat(),
        "acknowledged_at": _iso(incident.acknowledged_at),
        "acknowledged_by": incident.acknowledged_by,
        "resolved_at": _iso(incident.resolved_at),
    }


def _alert_data(each: ExplainedAlert) -> dict[str, JSON]:
    alert, decision = each.alert, each.decision
    return {
        "fingerprint": each.fingerprint,
        "labels": dict(each.labels),
        "starts_at": _iso(alert.starts_at) if alert else None,
        "ends_at": _iso(alert.ends_at) if alert else None,
        "reached_us_at": _iso(each.stored.first_received_at) if each.stored else None,
        "incident": each.incident,
        "delivered": [
            {"route": one.route, "times": one.deliveries, "first_at": one.first_at.isoformat()} for one in each.receipts
        ],
        "passed_over": list(decision.passed) if decision else [],
        "routes": [_routed_data(one) for one in decision.routed] if decision else [],
        "inhibited_by": decision.inhibitor if decision else "",
        "quiet_now": each.kept_quiet_there,
    }


def _routed_data(routed: Routed) -> dict[str, JSON]:
    return {
        "route": routed.route,
        "receivers": list(routed.receivers),
        "escalation": routed.escalation,
        "priority": routed.priority.value,
        "muted_by": routed.muted_by,
        "reasons": list(routed.reasons),
    }


def _step_data(step: DueStep) -> dict[str, JSON]:
    return {
        "policy": step.policy,
        "round": step.round + 1,
        "step": step.step + 1,
        "due_at": step.due_at.isoformat(),
        "targets": list(step.targets),
        "fired_at": _iso(step.fired_at),
        "cancelled_at": _iso(step.cancelled_at),
        "told": list(step.told),
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
