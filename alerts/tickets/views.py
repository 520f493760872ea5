"""Tickets as text for terminals: tables of 80 columns. Pure."""

from collections.abc import Sequence
from typing import Final

from alerts.tickets.rows import GONE
from alerts.tickets.texts import one_line
from controlplane.model.follow_up import Ticket

COLUMNS: Final = ("STATE", "TRACKER", "ID", "SINCE", "TITLE")
_WIDTHS: Final = (8, 12, 10, 10, 36)


def state_word(ticket: Ticket) -> str:
    """`open`, `closed`, `gone` when it was deleted there; `waiting` while the tracker does not show it as it is."""
    if ticket.data.get(GONE) is True:
        return "gone"
    if ticket.told_version != ticket.wanted_version:
        return "waiting"
    return "open" if ticket.is_open else "closed"


def tickets_text(tickets: Sequence[Ticket]) -> str:
    """A line each; text that does not fit ends in `…`."""
    rows = [COLUMNS, *(_row(each) for each in tickets)]
    return "\n".join(
        " ".join(_fit(cell, width) for cell, width in zip(row, _WIDTHS, strict=True)).rstrip() for row in rows
    )


def ticket_text(ticket: Ticket) -> str:
    """One ticket: where it is, and what it says."""
    head = [
        f"{ticket.title}",
        f"{state_word(ticket)}, tracker {ticket.tracker}, {ticket.url or 'not opened yet'}",
        f"key {ticket.key}",
    ]
    if ticket.cause:
        head.append(f"closed: {one_line(ticket.cause, 300)}")
    return "\n".join([*head, "", ticket.body.rstrip()])


def _row(ticket: Ticket) -> tuple[str, ...]:
    id_ = ticket.outside_id or "-"
    return state_word(ticket), ticket.tracker, id_, f"{ticket.created_at:%Y-%m-%d}", one_line(ticket.title, 200)


def _fit(text: str, width: int) -> str:
    return f"{text if len(text) <= width else text[: width - 1] + '…':<{width}}"
