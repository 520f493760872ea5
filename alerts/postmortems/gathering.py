"""Reads all that is known of an incident, in one transaction, so that all of it is of one moment."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from alerts.incidents.snapshots import page_url
from alerts.model import Link
from alerts.postmortems.actions import is_overdue, today_of
from alerts.postmortems.model import Earlier, Moments, Postmortem, TrackedAction
from alerts.tickets.drafting import action_key
from controlplane.model.alert import Alert
from controlplane.model.follow_up import Action
from controlplane.model.incident import AttemptOutcome, DeliveryAttempt, DueStep, Incident, OutsideObject
from controlplane.ports import Transaction

MOST_EARLIER: Final = 20
MOST_ALERTS: Final = 500
_YEAR: Final = timedelta(days=365)
_ARRIVED: Final = (AttemptOutcome.DELIVERED, AttemptOutcome.SPOOLED)


def gathered(transaction: Transaction, incident: str, now: datetime, *, console_url: str = "") -> Postmortem | None:
    """The postmortem of an incident, by id or name; None when there is none. One that goes on has one so far."""
    found = transaction.incidents.incident(incident)
    if found is None:
        return None
    earlier = _earlier(transaction, found, console_url)
    outside = transaction.telling.objects_of(found.id)
    kept = [each.alert for _, each in transaction.incidents.alerts_of(found.id, MOST_ALERTS) if each is not None]
    count, _ = transaction.incidents.count_alerts(found.id)
    left_over = [
        action for each in earlier for action in transaction.follow_up.actions(each.incident.id, only_open=True)
    ]
    return Postmortem(
        incident=found,
        moments=replace(
            moments(found, transaction.telling.attempts_of(found.id, 10_000), outside),
            quiet=_ended(found, kept, is_whole=len(kept) == count),
        ),
        timeline=tuple(transaction.incidents.timeline(found.id)),
        alerts=tuple(sorted(kept, key=lambda each: (each.starts_at, each.fingerprint))),
        alert_count=count,
        actions=tuple(tracked(transaction, transaction.follow_up.actions(found.id), now)),
        left_over=tuple(tracked(transaction, left_over, now)),
        earlier=earlier,
        repeats=sum(each.incident.opened_at >= found.opened_at - _YEAR for each in earlier),
        told=_told(transaction.incidents.steps_of(found.id)),
        shown=tuple(Link(each.channel, each.url) for each in outside if each.url),
        page_url=page_url(console_url, found.id),
        made_at=now,
    )


def moments(incident: Incident, attempts: Sequence[DeliveryAttempt], outside: Sequence[OutsideObject]) -> Moments:
    """When what happened. Where attempts are forgotten already, what was opened outside says when people were told."""
    arrived = [each.at for each in attempts if each.outcome in _ARRIVED] or [each.opened_at for each in outside]
    return Moments(
        began=min(incident.started_at, incident.opened_at),
        detected=incident.opened_at,
        told=min(arrived, default=None),
        acknowledged=incident.acknowledged_at,
        quiet=incident.quiet_since,
        resolved=incident.resolved_at,
    )


def _ended(incident: Incident, alerts: Sequence[Alert], *, is_whole: bool) -> datetime | None:
    """When the last alert ended, by whoever measured it; we hear of it minutes later. None while one fires."""
    ends = [each.ends_at for each in alerts if each.ends_at is not None]
    if incident.quiet_since is None or not ends or not is_whole or len(ends) < len(alerts):
        return incident.quiet_since
    return max(min(max(ends), incident.quiet_since), incident.started_at)


def _earlier(transaction: Transaction, incident: Incident, console_url: str) -> tuple[Earlier, ...]:
    """Incidents of the same key that were opened before, and the one that somebody says it repeats."""
    found = transaction.incidents.of_key(incident.key, MOST_EARLIER + 1)
    before = {each.id: each for each in found if each.id != incident.id and each.opened_at <= incident.opened_at}
    if incident.repeats and incident.repeats not in before:
        named = transaction.incidents.incident(incident.repeats)
        before |= {named.id: named} if named is not None else {}
    latest = sorted(before.values(), key=lambda each: each.opened_at, reverse=True)[:MOST_EARLIER]
    return tuple(
        Earlier(each, page_url(console_url, each.id), len(transaction.follow_up.actions(each.id, only_open=True)))
        for each in latest
    )


def tracked(transaction: Transaction, actions: Sequence[Action], now: datetime) -> list[TrackedAction]:
    """Actions with their incidents and tickets; those whose incident was forgotten are left out."""
    today, known = today_of(now), dict[str, Incident | None]()
    found = []
    for action in actions:
        if action.incident not in known:
            known[action.incident] = transaction.incidents.incident(action.incident)
        incident = known[action.incident]
        if incident is not None:
            ticket = transaction.follow_up.ticket(action_key(action.id))
            found.append(TrackedAction(action, ticket, incident, is_overdue(action, today)))
    return found


def _told(steps: Sequence[DueStep]) -> tuple[str, ...]:
    fired = sorted((each for each in steps if each.fired_at is not None), key=lambda each: (each.round, each.step))
    return tuple(dict.fromkeys(name for each in fired for name in each.told))
