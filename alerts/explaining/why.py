"""Gathers all that decided who was told of an incident or an alert, and says in one sentence what came of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alerts.explaining.decisions import Decider, ExplainedAlert, said
from alerts.model import AlertsDeclared
from alerts.ports import HeldAlert, Silence
from alerts.routing.matchers import as_text
from controlplane import conventions as names
from controlplane import wording
from controlplane.model.alert import AlertStatus, StoredAlert
from controlplane.model.incident import AttemptOutcome, DeliveryAttempt, DueStep, Incident, OutsideObject
from controlplane.model.outbox import LEAST_URGENT, DueMessage
from controlplane.ports import Transaction

MOST_ALERTS: Final = 20  # of an incident, explained one by one
MOST_SEARCHED: Final = 20_000  # latest alerts, for one of a fingerprint
TIERS_SINCE: Final = timedelta(days=90)
_TAKEN: Final = (AttemptOutcome.DELIVERED, AttemptOutcome.SPOOLED)


class Unknown(Exception):
    """There is nothing of that name: what was looked at."""


@dataclass(frozen=True, slots=True)
class AtAlertmanager:
    """What Alertmanager holds. `fault` says why it could not be asked; both empty where nobody asked."""

    alerts: tuple[HeldAlert, ...] = ()
    silences: tuple[Silence, ...] = ()
    fault: str = ""
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Why:
    """Everything that decided. `tiers` are ladders that reduced service then, in words."""

    asked: str
    at: datetime
    verdict: str
    incident: Incident | None
    alerts: tuple[ExplainedAlert, ...]
    alert_count: int
    steps: tuple[DueStep, ...] = ()
    attempts: tuple[DeliveryAttempt, ...] = ()
    outside: tuple[OutsideObject, ...] = ()
    waiting: tuple[DueMessage, ...] = ()
    untold: tuple[str, ...] = ()  # channels and receivers that are not told of it, and why not
    tiers: tuple[str, ...] = ()
    fault: str = ""


def why(
    transaction: Transaction, asked: str, *, decider: Decider, there: AtAlertmanager, now: datetime
) -> Why:  # fmt: skip
    """`asked` is an incident's id or name, or a fingerprint: then its latest alert. Raises `Unknown`."""
    incident = transaction.incidents.incident(asked)
    recent = transaction.alerts.recent(MOST_SEARCHED)
    if incident is not None:
        found = [
            stored for _, stored in transaction.incidents.alerts_of(incident.id, MOST_ALERTS) if stored is not None
        ]
        count, _ = transaction.incidents.count_alerts(incident.id)
    else:
        found = [stored for stored in recent if stored.alert.fingerprint == asked][:1]
        count = len(found)
        if found and (id_ := transaction.incidents.incident_of(*found[0].alert.key)):
            incident = transaction.incidents.incident(id_)
    held = {each.fingerprint: each for each in there.alerts}
    if not found and incident is None:
        if asked not in held:
            raise Unknown(_nothing_of(asked, there))
        explained = [_strange(held[asked], there, recent, decider, now)]
    else:
        explained = [_explained(transaction, stored, recent, decider, there) for stored in found]
    moment = incident.opened_at if incident else found[0].alert.starts_at if found else now
    made = Why(
        asked=asked,
        at=now,
        verdict="",
        incident=incident,
        alerts=tuple(explained),
        alert_count=max(count, len(explained)),
        tiers=tuple(_tiers(transaction, moment)),
        fault=there.fault,
    )
    return _with_incident(transaction, made, incident, decider.declared, now) if incident else _alone(made)


def _with_incident(
    transaction: Transaction, made: Why, incident: Incident, declared: AlertsDeclared, now: datetime
) -> Why:
    attempts = transaction.telling.attempts_of(incident.id)
    given_up = {each.message for each in attempts if each.outcome is AttemptOutcome.GIVEN_UP}
    waiting = [
        due
        for due in transaction.outbox.overdue(now, LEAST_URGENT, MOST_SEARCHED)
        if due.message.key == incident.id and due.message.id not in given_up
    ]
    return Why(
        asked=made.asked,
        at=now,
        verdict=_told(incident, attempts, waiting, declared),
        incident=incident,
        alerts=made.alerts,
        alert_count=made.alert_count,
        steps=tuple(transaction.incidents.steps_of(incident.id)),
        attempts=tuple(attempts),
        outside=tuple(transaction.telling.objects_of(incident.id)),
        waiting=tuple(waiting),
        untold=tuple(_untold(incident, declared)),
        tiers=made.tiers,
        fault=made.fault,
    )


# --- alerts -----------------------------------------------------------------------------------------------------------
def _explained(
    transaction: Transaction,
    stored: StoredAlert,
    recent: Sequence[StoredAlert],
    decider: Decider,
    there: AtAlertmanager,
) -> ExplainedAlert:
    alert = stored.alert
    firing = [other.alert.labels for other in recent if other.alert.key != alert.key and _fires_at(other, stored)]
    held = next((each for each in there.alerts if each.fingerprint == alert.fingerprint), None)
    is_over = alert.status is AlertStatus.RESOLVED
    return ExplainedAlert(
        fingerprint=alert.fingerprint,
        stored=stored,
        receipts=tuple(transaction.telling.receipts_of(*alert.key)),
        decision=decider.decide(alert.labels, stored.first_received_at, firing),
        held=None if is_over else held,
        silences=_silences(held, there) if held and not is_over else (),
        inhibitors=_inhibitors(held, there, recent) if held and not is_over else (),
        incident=transaction.incidents.incident_of(*alert.key) or "",
    )


def _strange(
    held: HeldAlert, there: AtAlertmanager, recent: Sequence[StoredAlert], decider: Decider, now: datetime
) -> ExplainedAlert:
    """One that Alertmanager holds and never told us of."""
    others = [each.labels for each in there.alerts if each.fingerprint != held.fingerprint]
    return ExplainedAlert(
        held.fingerprint,
        None,
        decision=decider.decide(held.labels, now, others) if held.labels else None,
        held=held,
        silences=_silences(held, there),
        inhibitors=_inhibitors(held, there, recent),
    )


def _fires_at(other: StoredAlert, stored: StoredAlert) -> bool:
    """Whether another alert fired when this one reached us."""
    at, alert = stored.first_received_at, other.alert
    return alert.starts_at <= at and (alert.ends_at is None or alert.ends_at > at)


def _silences(held: HeldAlert, there: AtAlertmanager) -> tuple[str, ...]:
    known = {silence.id: silence for silence in there.silences}
    return tuple(_silence(known[id_]) if id_ in known else f"silence {id_}" for id_ in held.silenced_by)


def _silence(silence: Silence) -> str:
    matchers = ", ".join(as_text(each) for each in silence.matchers)
    why = f": {silence.comment}" if silence.comment else ""
    return f"silence {silence.id} of {silence.created_by} for {matchers} until {wording.utc(silence.ends_at)}{why}"


def _inhibitors(held: HeldAlert, there: AtAlertmanager, recent: Sequence[StoredAlert]) -> tuple[str, ...]:
    known = {stored.alert.fingerprint: stored.alert.labels for stored in reversed(recent)}
    known |= {each.fingerprint: each.labels for each in there.alerts if each.labels}
    return tuple(said(known[each]) if each in known else f"alert {each}" for each in held.inhibited_by)


def _alone(made: Why) -> Why:
    (explained,) = made.alerts
    return Why(
        asked=made.asked,
        at=made.at,
        verdict=_verdict_alone(explained),
        incident=None,
        alerts=made.alerts,
        alert_count=1,
        tiers=made.tiers,
        fault=made.fault,
    )


def _verdict_alone(explained: ExplainedAlert) -> str:
    """Of an alert without an incident."""
    quiet = explained.kept_quiet_there
    decision = explained.decision
    if explained.stored is None:
        waits = "Alertmanager holds it, and has not told us of it yet"
        return f"Nobody was told: {quiet or (decision.quiet_because if decision else '') or waits}"
    if decision is not None and decision.quiet_because:
        return f"Nobody was told: {decision.quiet_because}"
    if quiet:
        return f"Nobody was told: {quiet}"
    alert = explained.stored.alert
    if alert.ends_at is not None and alert.ends_at <= explained.stored.first_received_at:
        return "Nobody was told: it was over before it reached us"
    return "It opened no incident: it reached us before routes were declared, or its incident was forgotten"


# --- incidents --------------------------------------------------------------------------------------------------------
def _told(
    incident: Incident, attempts: Sequence[DeliveryAttempt], waiting: Sequence[DueMessage], declared: AlertsDeclared
) -> str:
    """Who was told first, or why nobody was."""
    taken: dict[str, DeliveryAttempt] = {}
    for attempt in attempts:
        if attempt.outcome in _TAKEN:
            taken.setdefault(attempt.channel, attempt)
    if taken:
        first = min(taken.values(), key=lambda each: each.at)
        others = [channel for channel in taken if channel != first.channel]
        after = wording.duration(first.at - incident.started_at)
        more = f", then {', '.join(others)}" if others else ""
        return f"Told: {first.channel} took it at {_clock(first.at)}, {after} after its first alert began{more}"
    if not incident.receivers:
        return "Nobody was told: its routes have no receivers"
    known = [receiver for name in incident.receivers if (receiver := declared.receiver(name)) is not None]
    if not any(incident.priority in channel.priorities for receiver in known for channel in receiver.channels):
        who = ", ".join(incident.receivers)
        return f"Nobody was told: no channel of {who} takes incidents of {incident.priority.value}"
    failed = [attempt for attempt in attempts if attempt.outcome is not AttemptOutcome.DELIVERED]
    if failed:
        last = failed[-1]
        how = last.outcome.value.replace("_", " ")
        return f"Nobody was told yet: the last attempt, at {last.channel}, was {how}: {last.detail}"
    if waiting:
        messages = "message waits" if len(waiting) == 1 else "messages wait"
        return f"Nobody was told yet: {len(waiting)} {messages}: nobody delivers now"
    return "Nobody was told, as far as is still known: attempts are forgotten after a while"


def _untold(incident: Incident, declared: AlertsDeclared) -> Iterable[str]:
    for name in incident.receivers:
        receiver = declared.receiver(name)
        if receiver is None:
            yield f"{name}: no such Receiver is declared any more"
            continue
        for channel in receiver.channels:
            if incident.priority not in channel.priorities:
                wanted = ", ".join(sorted(each.value for each in channel.priorities))
                yield f"{channel.name} of {name} takes {wanted}, and this is {incident.priority.value}"


def _tiers(transaction: Transaction, at: datetime) -> Iterable[str]:
    """Ladders that reduced service at that time."""
    latest: dict[str, tuple[datetime, Mapping[str, object]]] = {}
    for recorded in transaction.events.between(at - TIERS_SINCE, at, [names.EVENT_TIER_CHANGED]):
        latest[recorded.event.subject] = recorded.event.occurred_at, recorded.event.data
    for ladder, (since, data) in sorted(latest.items()):
        tier = data.get("to")
        if tier not in (0, "0", None):
            reason = f": {data['reason']}" if data.get("reason") else ""
            yield f"ladder {ladder} was at tier {tier} since {wording.utc(since)}{reason}"


def _nothing_of(asked: str, there: AtAlertmanager) -> str:
    where = "the incidents and alerts that are kept" + (", nor at Alertmanager" if there.asked else "")
    shown = asked if len(asked) <= 80 else f"{asked[:80]}…"
    return (
        f"there is no `{shown}` among {where}: name an incident (INC-7), its id, or an alert's fingerprint."
        " flyball incidents list and flyball alerts list --json show them; what never reached us shows"
        " flyball alerts replay --since 1d"
    )


def _clock(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
