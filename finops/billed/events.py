"""What an import tells the other features: events with ids that make telling twice harmless."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from controlplane import conventions as names
from controlplane.model.event import JSON, Event
from finops.billed.ledger.encoding import plain
from finops.billed.ledger.partition import Catalogue, Imported, Money, Partition, Restatement, State

_MAX_CHANGES: Final = 100


def events_of(imported: Sequence[Imported]) -> Iterator[Event]:
    """That a period was imported, and that its sums are other ones than before; nothing of what did not change."""
    for each in imported:
        if each.state in (State.NEW, State.REPLACED):
            yield _imported(each.partition)
        if each.restatement is not None:
            yield _restated(each.restatement)


def events_since(catalogue: Catalogue, since: datetime) -> tuple[Event, ...]:
    """What a ledger remembers of imports since then, whoever made them: the same events, with the same ids."""
    parts = [part for _, part in sorted(catalogue.partitions.items()) if part.imported_at >= since]
    restated = [each for each in catalogue.history if each.at >= since]
    return (*map(_imported, parts), *map(_restated, restated))


def _imported(it: Partition) -> Event:
    data: dict[str, JSON] = {
        "source": it.key.source,
        "period": it.key.period_name,
        "rows": it.rows,
        "quarantined": it.quarantined,
        "money": [_money(each) for each in it.money],
    }
    return Event(
        _id(names.EVENT_COST_IMPORTED, it), names.EVENT_COST_IMPORTED, _subject(it), _utc(it.imported_at), data
    )


def _restated(it: Restatement) -> Event:
    changes: list[JSON] = [
        {
            "service": each.service,
            "currency": each.currency,
            "billedBefore": plain(each.billed_before),
            "billedAfter": plain(each.billed_after),
            "billedDifference": plain(each.billed_difference),
            "effectiveBefore": plain(each.effective_before),
            "effectiveAfter": plain(each.effective_after),
            "effectiveDifference": plain(each.effective_difference),
        }
        for each in it.changes[:_MAX_CHANGES]
    ]
    data: dict[str, JSON] = {
        "source": it.key.source,
        "period": it.key.period_name,
        "services": len(it.changes),
        "changes": changes,
    }
    subject = f"{it.key.source}/{it.key.period_name}"
    identity = f"{names.EVENT_COST_RESTATED}:{subject}:{it.before[:16]}:{it.after[:16]}:{_utc(it.at):%Y%m%dT%H%M%S}"
    return Event(identity, names.EVENT_COST_RESTATED, subject, _utc(it.at), data)


def _money(it: Money) -> dict[str, JSON]:
    return {"currency": it.currency, "billed": plain(it.billed), "effective": plain(it.effective)}


def _subject(it: Partition) -> str:
    return f"{it.key.source}/{it.key.period_name}"


def _id(kind: str, it: Partition) -> str:
    return f"{kind}:{_subject(it)}:{it.fingerprint[:16]}:{_utc(it.imported_at):%Y%m%dT%H%M%S}"


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
