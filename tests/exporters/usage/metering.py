"""Meters, events and months that tests of metering use."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from controlplane.model.usage import Aggregation
from exporters.usage.terms import Billing, Meter, Price, UsageTerms

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CLOSING = datetime(2026, 12, 4, tzinfo=UTC)  # November's grace is over
HOUR = timedelta(hours=1)
CENT = Price(Decimal("0.01"), Decimal(1), "USD", 2)

TOKENS = Meter(
    "tokens", "ai.completed", Aggregation.SUM, "token", ("tokens", "total"), dimensions=(("model", ("model",)),),
    billing=Billing(free=Decimal(100), price=Price(Decimal("4"), Decimal(1000), "USD", 2)),
)  # fmt: skip
CALLS = Meter("calls", "api.called", Aggregation.COUNT, "call", billing=Billing(free=Decimal(2), decimals=0))
PEAK = Meter("peak", "db.sampled", Aggregation.MAX, "connection", ("open",), billing=Billing(price=CENT))
USERS = Meter("users", "session.started", Aggregation.UNIQUE, "person", ("user",), billing=Billing(price=CENT))
TERMS = UsageTerms((CALLS, PEAK, TOKENS, USERS))


def sent(number: int | str = 1, **changes: Any) -> dict[str, Any]:
    """An event as it is sent: 10 tokens of alpha in November; a value of None takes the attribute away."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": f"e{number}",
        "source": "urn:gateway",
        "type": "ai.completed",
        "subject": "alpha",
        "time": "2026-11-20T10:00:00Z",
        "data": {"model": "small", "tokens": {"total": 10}},
    }
    event |= changes
    return {name: value for name, value in event.items() if value is not None}


def tokens(number: int | str, quantity: object, **changes: Any) -> dict[str, Any]:
    """An event of so many tokens."""
    return sent(number, data={"model": "small", "tokens": {"total": quantity}}, **changes)


def body(*events: object) -> bytes:
    """A batch."""
    return json.dumps(events).encode()


def lines(*events: object) -> bytes:
    """The same as NDJSON."""
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)
