"""What we keep of a ticket beside what it says: `Ticket.data`, and writing a row without losing what is wanted anew."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from alerts.tickets.drafting import ACTION_PREFIX
from controlplane.model.event import JSON
from controlplane.model.follow_up import Ticket
from controlplane.model.incident import TimelineEntry, TimelineKind
from controlplane.ports import HeldLease, Store, Transaction

OPENING_AT: Final = "opening_at"  # since when it may be there without our knowing
RETRY_AT: Final = "retry_at"  # a tracker refused it; not before then
TOLD_OPEN: Final = "told_open"  # as which the tracker knows it through us
GONE: Final = "gone"  # somebody deleted it there
INCIDENT: Final = "incident"  # of an action's ticket


def moment_of(ticket: Ticket, name: str) -> datetime | None:
    """A time in `data`."""
    text = ticket.data.get(name)
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def with_data(ticket: Ticket, changes: Mapping[str, JSON]) -> Ticket:
    """With these in `data`; None takes one out."""
    data = {name: value for name, value in {**ticket.data, **changes}.items() if value is not None}
    return replace(ticket, data=data)


def written(store: Store, ticket: Ticket, now: datetime, lease: HeldLease | None, *, event: str = "") -> None:
    """Keep where the ticket is and what the tracker shows; what it should say meanwhile (others write that) stays.

    `event` (opened, closed, …) goes into the audit log, and of an action into its incident's timeline.
    """
    with store.transaction(lease=lease) as transaction:
        transaction.incidents.lock()
        newest = transaction.follow_up.ticket(ticket.key) or ticket
        there = replace(
            newest, outside_id=ticket.outside_id, url=ticket.url, told_version=ticket.told_version, data=ticket.data
        )  # fmt: skip
        transaction.follow_up.put_ticket(there)
        if event:
            note(transaction, there, event, now)


def note(transaction: Transaction, ticket: Ticket, event: str, now: datetime) -> None:
    """That something became of a ticket."""
    where = ticket.url or ticket.outside_id
    detail: dict[str, JSON] = {"tracker": ticket.tracker, "url": where, "title": ticket.title, "cause": ticket.cause}
    transaction.audit.append(at=now, actor="flyball", action=f"ticket.{event}", subject=ticket.key, detail=detail)
    incident = ticket.data.get(INCIDENT)
    if isinstance(incident, str) and ticket.key.startswith(ACTION_PREFIX):
        text = f"ticket {event}: {ticket.title} ({where})" + (f": {ticket.cause}" if ticket.cause else "")
        id_ = f"ticket:{ticket.key}:{event}:{ticket.wanted_version}"
        entry = TimelineEntry(id_, incident, now, TimelineKind.TICKET, text, "flyball", {"url": ticket.url})
        transaction.incidents.note([entry], now)
