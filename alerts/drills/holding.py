"""Drills: marked pages on the real path, one incident for each contact, and how long it took them to acknowledge.

A drill's incidents go through the outbox, the lanes and the providers like any other, and are resolved when everybody
has answered or the time is up; what was opened outside is closed with them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from alerts.drills.contacts import Contact
from alerts.incidents.desk import Desk, UnknownIncident
from controlplane import incident_names as names
from controlplane import wording
from controlplane.model.event import JSON, Event
from controlplane.model.incident import AttemptOutcome, DeliveryAttempt, Incident, Origin, Priority
from controlplane.ports import HeldLease, Store, Transaction

EVERY: Final = timedelta(seconds=15)
STANDARD_WAIT: Final = timedelta(minutes=5)
LONGEST_WAIT: Final = timedelta(hours=4)
FORGOTTEN: Final = timedelta(hours=1)  # a drill of which nobody wrote down until when it waits
UNTIL: Final = "drill_until"
RECEIVER: Final = "receiver"
VIA: Final = "drill"
_TAKEN: Final = (AttemptOutcome.DELIVERED, AttemptOutcome.SPOOLED)


@dataclass(frozen=True, slots=True)
class Answer:
    """One contact. `told`: channels that took the page, with how long that took; `fault`: why one did not, last.

    `acknowledged_after` is from the opening on; None: not yet, or never.
    """

    receiver: str
    incident: str
    name: str
    opened_at: datetime
    told: tuple[tuple[str, timedelta], ...]
    fault: str = ""
    acknowledged_by: str = ""
    acknowledged_after: timedelta | None = None


def begin(
    desk: Desk,
    store: Store,
    contacts: Sequence[Contact],
    *,
    drill: str,
    priority: Priority,
    wait: timedelta,
    by: str,
    why: str,
    now: datetime,
) -> list[str]:
    """Open one marked incident for each contact; their ids. `drill` is an id that nothing had before."""
    made = []
    for contact in contacts:
        changed = desk.declare(
            f"[DRILL] {contact.receiver}: please acknowledge",
            priority=priority,
            service="flyball",
            summary=(
                f"This is an exercise that {by} began{f': {why}' if why else ''}. Nothing is broken. Acknowledge it the"
                f" way you would at night; it ends by itself after {wording.duration(wait)}."
            ),
            receivers=[contact.receiver],
            policy="",
            by=by,
            now=now,
            origin=Origin.DRILL,
        )
        made.append(changed.incident.id)
        with store.transaction() as transaction:
            transaction.incidents.lock()
            incident = transaction.incidents.incident(changed.incident.id)
            assert incident is not None
            until = (incident.opened_at + wait).isoformat()
            labels = {**incident.labels, names.DRILL: drill, UNTIL: until, RECEIVER: contact.receiver}
            transaction.incidents.put(replace(incident, labels=labels))
    return made


def answers(transaction: Transaction, incidents: Sequence[str]) -> list[Answer]:
    """How it went so far, in the order of these ids."""
    found = (transaction.incidents.incident(id_) for id_ in incidents)
    return [_answer(transaction, incident) for incident in found if incident is not None]


def end(desk: Desk, store: Store, incidents: Sequence[str], now: datetime) -> list[Answer]:
    """Resolve them and write down how it went; doing it again changes nothing."""
    with store.transaction(read_only=True) as transaction:
        found = answers(transaction, incidents)
        open_ = [
            each for id_ in incidents if (each := transaction.incidents.incident(id_)) is not None and each.is_open
        ]
        drills = {incident.labels.get(names.DRILL, incident.id) for incident in open_}
    for incident in open_:
        desk.resolve(incident.id, by=VIA, via=VIA, why="the drill is over", now=now)
    if drills:
        with store.transaction() as transaction:
            transaction.events.append(_event(sorted(drills)[0], found, now), now)
    return found


class DrillDaemon:
    """Ends drills whose time is up, or in which everybody answered, whatever became of who began them."""

    def __init__(self, store: Store, desk: Desk) -> None:
        self._store = store
        self._desk = desk

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> int:
        """How many drills ended. Raises what the store raises."""
        with self._store.transaction(lease=lease) as transaction:  # also: we still lead
            drills: dict[str, list[Incident]] = {}
            for incident in transaction.incidents.open():
                if incident.is_drill:
                    drills.setdefault(incident.labels.get(names.DRILL, incident.id), []).append(incident)
        over = [part for part in drills.values() if _is_over(part, now)]
        for part in over:
            try:
                end(self._desk, self._store, [incident.id for incident in part], now)
            except UnknownIncident:  # somebody forgot it meanwhile
                continue
        return len(over)


def _is_over(part: Sequence[Incident], now: datetime) -> bool:
    if all(incident.acknowledged_at is not None for incident in part):
        return True
    return all(_until(incident) <= now for incident in part)


def _until(incident: Incident) -> datetime:
    try:
        return datetime.fromisoformat(incident.labels[UNTIL])
    except (KeyError, ValueError):
        return incident.opened_at + FORGOTTEN


def _answer(transaction: Transaction, incident: Incident) -> Answer:
    attempts = transaction.telling.attempts_of(incident.id)
    took = incident.acknowledged_at - incident.opened_at if incident.acknowledged_at else None
    return Answer(
        receiver=incident.labels.get(RECEIVER, next(iter(incident.receivers), "")),
        incident=incident.id,
        name=incident.name,
        opened_at=incident.opened_at,
        told=tuple(_told(attempts, incident.opened_at).items()),
        fault=_fault(attempts),
        acknowledged_by=incident.acknowledged_by,
        acknowledged_after=took,
    )


def _told(attempts: Sequence[DeliveryAttempt], opened_at: datetime) -> Mapping[str, timedelta]:
    found: dict[str, timedelta] = {}
    for attempt in attempts:
        if attempt.outcome in _TAKEN:
            found.setdefault(attempt.channel, max(attempt.at - opened_at, timedelta(0)))
    return found


def _fault(attempts: Sequence[DeliveryAttempt]) -> str:
    """Of a channel that has not taken it."""
    taken = {attempt.channel for attempt in attempts if attempt.outcome in _TAKEN}
    failed = [
        attempt
        for attempt in attempts
        if attempt.channel not in taken and attempt.outcome is not AttemptOutcome.OTHER_WAY
    ]
    return f"{failed[-1].channel}: {failed[-1].detail or failed[-1].outcome.value}" if failed else ""


def _event(drill: str, found: Sequence[Answer], now: datetime) -> Event:
    listed: list[JSON] = [answer_data(each) for each in found]
    data: dict[str, JSON] = {
        "contacts": len(found),
        "acknowledged": sum(each.acknowledged_after is not None for each in found),
        "answers": listed,
    }
    return Event(f"{names.EVENT_DRILL_ENDED}:{drill}", names.EVENT_DRILL_ENDED, drill, now, data)


# --- views ------------------------------------------------------------------------------------------------------------
def answer_data(each: Answer) -> dict[str, JSON]:
    """As JSON; lengths are seconds as decimal strings."""
    return {
        "receiver": each.receiver,
        "incident": each.name,
        "told": {channel: f"{after.total_seconds():.3f}" for channel, after in each.told},
        "fault": each.fault,
        "acknowledged_by": each.acknowledged_by,
        "acknowledged_seconds": None
        if each.acknowledged_after is None
        else f"{each.acknowledged_after.total_seconds():.3f}",
    }


def answers_text(found: Sequence[Answer]) -> str:
    """A line each: who, by which channels, how long until it was acknowledged."""
    width = max((len(each.receiver) for each in found), default=0)
    return "\n".join(f"{each.receiver:<{width}}  {'; '.join(_said(each))}" for each in found)


def _said(each: Answer) -> Iterator[str]:
    if each.told:
        yield "told by " + ", ".join(f"{channel} after {wording.duration(after)}" for channel, after in each.told)
    else:
        yield "not told"
    if each.fault:
        yield f"failed: {each.fault}"
    if each.acknowledged_after is None:
        yield "not acknowledged"
    else:
        yield f"acknowledged after {wording.duration(each.acknowledged_after)} by {each.acknowledged_by}"
