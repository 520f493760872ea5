"""What people and programs are shown of delivery events. Pure data and text."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from controlplane.model.delivery import DeliveryEvent, EventReceipt, StoredDeliveryEvent
from controlplane.model.event import JSON
from controlplane.problem_report import printable
from exporters.cloudevents.faults import MOST_TOLD
from exporters.events.cdevents.schemas import PREFIX, published
from exporters.events.reading import Delivery

COLUMNS: Final = ("time", "type", "subject", "source", "id", "sender")
_WIDEST: Final = {"type": 28, "subject": 16, "source": 28, "id": 20, "sender": 12}
_SHORT_DIGEST: Final = 12


def receipt_data(receipt: EventReceipt, delivery: Delivery) -> dict[str, JSON]:
    """A delivery's outcome: counts, and at most a hundred conflicts and faults in full."""
    conflicts: list[JSON] = [{"source": source, "id": id_} for source, id_ in receipt.conflicts[:MOST_TOLD]]
    faults: list[JSON] = [
        {"place": each.place, "field": each.field, "error": each.reason} for each in delivery.faults[:MOST_TOLD]
    ]
    return {
        "accepted": receipt.accepted,
        "duplicates": receipt.duplicates,
        "unknown": receipt.unknown,
        "unknown_types": list(delivery.unknown_types),
        "conflicting": len(receipt.conflicts),
        "conflicts": conflicts,
        "refused": delivery.refused,
        "faults": faults,
    }


def receipt_text(data: Mapping[str, Any]) -> str:
    """The same in a line or two, of what `receipt_data` made, here or at the other end."""
    parts = [f"{data.get('accepted', 0):,} taken", f"{data.get('duplicates', 0):,} known already"]
    if data.get("conflicting"):
        parts.append(f"{data['conflicting']:,} that contradict one known (the first one stands)")
    text = ", ".join(parts)
    if data.get("unknown"):
        types = ", ".join(data.get("unknown_types") or [])
        text += f"\n{data['unknown']:,} of them are kept without being read; their types: {types}"
    return text


def event_data(stored: StoredDeliveryEvent) -> dict[str, Any]:
    """All that is known of one, the event itself under `event`."""
    event = stored.event
    return {
        "sequence": stored.sequence,
        "received": f"{stored.received_at:%Y-%m-%dT%H:%M:%SZ}",
        "sender": event.sender,
        "entity": event.entity,
        "known": event.is_known,
        "sha256": event.digest.hex(),
        "trace_id": event.trace_id,
        "event": orjson.loads(event.body),
    }


def event_text(stored: StoredDeliveryEvent) -> str:
    """One event: what about, how it came, and what it says."""
    event = stored.event
    about = event.entity or "nothing that is read: kept and counted"
    lines = [
        f"{event.type}  {event.subject}  {event.time:%Y-%m-%d %H:%M:%S} UTC",
        f"  about     {about}",
        f"  source    {event.source}",
        f"  id        {event.id}",
        f"  came      {stored.received_at:%Y-%m-%d %H:%M:%S} UTC by {event.sender}, number {stored.sequence:,}",
        f"  sha256    {event.digest.hex()[:_SHORT_DIGEST]}…",
    ]
    if event.trace_id:
        lines.append(f"  trace     {event.trace_id}")
    said = orjson.dumps(orjson.loads(event.body), option=orjson.OPT_INDENT_2).decode()
    return printable("\n".join([*lines, "", said]), keep="\n")


def row_of(stored: StoredDeliveryEvent) -> dict[str, str]:
    """A row of a list."""
    event = stored.event
    return {
        "time": f"{event.time:%Y-%m-%dT%H:%M:%SZ}",
        "type": event.type,
        "subject": event.subject,
        "source": event.source,
        "id": event.id,
        "sender": event.sender,
        "entity": event.entity,
        "received": f"{stored.received_at:%Y-%m-%dT%H:%M:%SZ}",
    }


def list_text(events: Sequence[StoredDeliveryEvent]) -> str:
    """A table, or how to fill it."""
    if not events:
        return "No events. `flyball event send` sends one; docs/how-to/send-events.md says how a pipeline does."
    rows = [COLUMNS, *(_cells(stored.event) for stored in events)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _cells(event: DeliveryEvent) -> tuple[str, ...]:
    shown = {
        "time": f"{event.time:%Y-%m-%d %H:%M}",
        "type": event.type.removeprefix(PREFIX),
        "subject": event.subject,
        "source": event.source,
        "id": event.id,
        "sender": event.sender,
    }
    return tuple(_cut(printable(shown[name]), _WIDEST.get(name, 20)) for name in COLUMNS)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def type_prefix(text: str) -> str:
    """`service.deployed` as the beginning of a type; texts that are not about CDEvents' subjects stay as they are."""
    subjects = {
        type_.removeprefix(PREFIX).partition(".")[0] for release in published().releases for type_ in release.types
    }
    return PREFIX + text if text.partition(".")[0] in subjects else text
