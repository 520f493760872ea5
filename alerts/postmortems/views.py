"""Actions as text for terminals: tables of 80 columns. Pure."""

from collections.abc import Sequence
from typing import Final

from alerts.messages import words
from alerts.postmortems.model import TrackedAction
from controlplane.model.follow_up import Action, ActionState

COLUMNS: Final = ("ID", "INCIDENT", "DUE", "STATE", "OWNER", "WHAT")
_WIDTHS: Final = (12, 8, 10, 8, 12, 25)


def actions_text(actions: Sequence[TrackedAction]) -> str:
    """A line each; text that does not fit ends in `…`."""
    rows = [COLUMNS, *(_row(each) for each in actions)]
    return "\n".join(
        " ".join(_fit(cell, width) for cell, width in zip(row, _WIDTHS, strict=True)).rstrip() for row in rows
    )


def counts_text(actions: Sequence[TrackedAction]) -> str:
    """`3 open, 1 of them overdue`."""
    waiting = [each for each in actions if each.action.state is ActionState.OPEN]
    overdue = sum(each.is_overdue for each in waiting)
    return f"{len(waiting)} open" + (f", {overdue} of them overdue" if overdue else "")


def changed_text(action: Action, verb: str) -> str:
    """`a1b2c3 added: Cap the pool (ben, due 2026-12-15)`."""
    due = f", due {action.due.isoformat()}" if action.state is ActionState.OPEN else ""
    return f"{action.id} {verb}: {words.plain(action.title)} ({words.plain(action.owner)}{due})"


def _row(it: TrackedAction) -> tuple[str, ...]:
    action = it.action
    state = "overdue" if it.is_overdue else action.state.value
    return (
        action.id, words.name_of(it.incident), action.due.isoformat(), state, words.plain(action.owner),
        words.plain(action.title),
    )  # fmt: skip


def _fit(text: str, width: int) -> str:
    return f"{text if len(text) <= width else text[: width - 1] + '…':<{width}}"
