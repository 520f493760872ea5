"""Writes a change of an incident down, whole: the incident, its timeline, an event, and that there is news to tell."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from alerts.escalation.planning import cancelled
from alerts.model import AlertsDeclared
from alerts.telling import message_of
from controlplane.model.event import JSON, Event
from controlplane.model.incident import Incident, OutsideObject, TimelineEntry
from controlplane.ports import Transaction

ReadTime: TypeAlias = Callable[[Transaction, datetime], datetime]
LONGEST_TITLE: Final = 200
LONGEST_TEXT: Final = 4_000


def database_time(transaction: Transaction, now: datetime) -> datetime:
    """The time that all replicas share; `now`, that of this process, is not asked. Tests give another one."""
    return transaction.database_time()


def event_of(kind: str, incident: Incident, at: datetime, **more: JSON) -> Event:
    """What the other features are told. Its id is made from the incident's version, so it is told once."""
    data: dict[str, JSON] = {
        "number": incident.number,
        "key": incident.key,
        "title": incident.title,
        "priority": incident.priority.value,
        "state": incident.state.value,
        "origin": incident.origin.value,
        "service": incident.service,
        "started_at": incident.started_at.isoformat(),
        "opened_at": incident.opened_at.isoformat(),
        "repeats": incident.repeats,
    }
    return Event(f"{kind}:{incident.id}:{incident.version}", kind, incident.id, at, data | more)


def channels_of(incident: Incident, declared: AlertsDeclared, outside: Iterable[OutsideObject]) -> tuple[str, ...]:
    """Names of channels that must hear of it as it is now: its receivers' for its priority, and where it is shown.

    So a page that was opened is closed, though the incident's priority was lowered meanwhile, or nobody could read the
    files that declare the channel.
    """
    known = [receiver for name in incident.receivers if (receiver := declared.receiver(name)) is not None]
    wanted = [each.name for one in known for each in one.channels if incident.priority in each.priorities]
    shown = [each.channel for each in outside if each.closed_at is None]
    return tuple(dict.fromkeys([*wanted, *shown]))


def write(
    transaction: Transaction,
    incident: Incident,
    entries: Sequence[TimelineEntry],
    events: Sequence[Event],
    *,
    declared: AlertsDeclared,
    now: datetime,
) -> None:
    """Keep what was `put` already: timeline, events, and the news of it for each of its channels."""
    transaction.incidents.note(entries, now)
    transaction.events.append_all(events, now)
    channels = channels_of(incident, declared, transaction.telling.objects_of(incident.id))
    transaction.outbox.enqueue_current([message_of(incident, channel) for channel in channels], now)


def call_off(transaction: Transaction, incident: Incident, at: datetime) -> int:
    """Nobody else is told by escalation; how many steps were still to come."""
    steps = cancelled(transaction.incidents.steps_of(incident.id), at)
    transaction.incidents.put_steps(steps)
    return len(steps)


def bounded(text: str, longest: int) -> str:
    """`text` without characters that no terminal and no database takes, cut to `longest`."""
    kept = "".join(each for each in text if each.isprintable() or each in "\n\t").strip()
    return kept if len(kept) <= longest else kept[: longest - 1] + "…"
