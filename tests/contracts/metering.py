"""Usage events as the store takes them."""

import hashlib
from datetime import UTC, datetime
from decimal import Decimal

from controlplane.model.usage import Aggregation, Reading, UsageEvent

NOVEMBER = datetime(2026, 11, 5, 10, 30, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 31, 23, 59, 59, 999999, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


def used(
    name: str, quantity: str = "10", *, tenant: str = "alpha", time: datetime = NOVEMBER, source: str = "urn:a",
    meter: str = "tokens", aggregation: Aggregation = Aggregation.SUM, value: str = "", dimensions: str = "{}",
    trace_id: str = "",
) -> UsageEvent:  # fmt: skip
    """An event with one reading. What it says decides its digest."""
    reading = Reading(meter, aggregation, Decimal(quantity), dimensions, value)
    payload = f"{meter} {quantity} {time} {value}".encode()
    return UsageEvent(tenant, source, name, time, hashlib.sha256(payload).digest(), (reading,), payload, trace_id)
