"""Counts events that were set aside because nothing declared their type or tenant, as far as it is declared now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from controlplane.model.usage import AsideEvent, AsideReason, Receipt, UsageEvent
from controlplane.ports import Store
from exporters.cloudevents.exact_json import read_canonical
from exporters.cloudevents.faults import Fault, Malformed
from exporters.usage.measuring import Measurer

_PAGE: Final = 5_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Retried:
    """What became of them. `unknown` are so still; `faults` say why others cannot be counted by today's meters."""

    receipt: Receipt
    unknown: int
    faults: tuple[Fault, ...]


def retry(store: Store, measurer: Measurer, now: datetime) -> Retried:
    """Measure them again, and count what can be; in parts, each whole. May be repeated at any time."""
    receipt, unknown = Receipt(), 0
    faults: list[Fault] = []
    last: AsideEvent | None = None
    while True:
        with store.transaction(read_only=True) as transaction:
            kept = transaction.usage.set_aside(_PAGE, last)
        if not kept:
            return Retried(receipt, unknown, tuple(faults))
        last = kept[-1]
        waiting = [each for each in kept if each.reason is not AsideReason.CONFLICT]
        events = _measured(waiting, measurer, now, faults)
        unknown += len(waiting) - len(events)
        with store.transaction() as transaction:
            receipt += transaction.usage.record(events, (), now)


def _measured(kept: Sequence[AsideEvent], measurer: Measurer, now: datetime, faults: list[Fault]) -> list[UsageEvent]:
    found = []
    for each in kept:
        event = _as_sent(each)
        try:
            measured = measurer.measure(event, partial(_itself, event), now)
        except Malformed as error:
            faults.append(error.at(f"{each.event.tenant} {each.event.source} {each.event.id}"))
            continue
        if isinstance(measured, UsageEvent):
            found.append(measured)
    return found


def _itself(event: dict[str, Any]) -> dict[str, Any]:
    """Its numbers are exact already."""
    return event


def _as_sent(kept: AsideEvent) -> dict[str, Any]:
    """The event from what its digest was made of."""
    kind, microseconds, data = read_canonical(kept.event.payload)
    at = _EPOCH + timedelta(microseconds=microseconds)
    return {
        "specversion": "1.0",
        "id": kept.event.id,
        "source": kept.event.source,
        "type": kind,
        "subject": kept.event.tenant,
        "time": at.isoformat(),
        "data": data,
    }
