"""What the pages about money say of events and of commands, in words."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from controlplane import conventions as names
from controlplane import wording
from controlplane.model.budget import Budget
from controlplane.model.event import JSON, Event

_MOST_CHANGES: Final = 5
_LONGEST: Final = 120  # characters of a value that somebody else wrote
_WEEK: Final = timedelta(days=7)


def event_words(event: Event) -> str:
    """An import or a restatement in a line: `2026-08: neo4j +45.8 USD billed`; what is not told is left out."""
    if event.kind == names.EVENT_COST_RESTATED:
        parts = [*_changes(event.data.get("changes"))]
    else:
        parts = [*_counts(event.data), *_money(event.data.get("money"))]
    period = _text(event.data.get("period"))
    return f"{period}: {', '.join(parts)}" if period and parts else period or ", ".join(parts) or "–"


def explain_command(budget: Budget, now: datetime) -> str:
    """The command that explains the last week of what a budget counts."""
    wheres = [f"--where {shlex.quote(key + '=' + '|'.join(values))}" for key, values in budget.scope]
    return " ".join(["flyball cost explain", f"--from {(now - _WEEK).date()}", f"--to {now.date()}", *wheres])


def _counts(data: Mapping[str, JSON]) -> Iterator[str]:
    for key, word in (("rows", "rows"), ("quarantined", "quarantined")):
        count = data.get(key)
        if isinstance(count, int) and (count or key == "rows"):
            yield f"{count:,} {word}"


def _money(listed: JSON) -> Iterator[str]:
    for each in _objects(listed):
        amount = _decimal(each.get("billed"))
        if amount is not None:
            yield f"{wording.money(amount, _text(each.get('currency')))} billed"


def _changes(listed: JSON) -> Iterator[str]:
    """The largest first; how many more there are at the end."""
    found = [
        (amount, _text(each.get("service")) or "(none)", _text(each.get("currency")))
        for each in _objects(listed)
        if (amount := _decimal(each.get("billedDifference"))) is not None
    ]
    found.sort(key=lambda it: (-abs(it[0]), it[1]))
    for amount, service, currency in found[:_MOST_CHANGES]:
        yield f"{service} {'+' if amount > 0 else ''}{wording.money(amount, currency)}"
    if len(found) > _MOST_CHANGES:
        yield f"{len(found) - _MOST_CHANGES} more"


def _objects(listed: JSON) -> Sequence[Mapping[str, JSON]]:
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _text(value: JSON) -> str:
    return value[:_LONGEST] if isinstance(value, str) else ""


def _decimal(value: JSON) -> Decimal | None:
    try:
        return Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        return None
