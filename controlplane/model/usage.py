"""Usage that was metered: events as they were accepted, what they add up to, periods, and lines of an invoice.

Quantities and money are exact decimals. A period is a calendar month in UTC, half-open, named `2026-11`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum

from controlplane.model.event import JSON


class Aggregation(Enum):
    """How readings of a period become one quantity. UNIQUE counts different values, COUNT counts events."""

    SUM = "sum"
    COUNT = "count"
    MAX = "max"
    UNIQUE = "unique"

    @property
    def adds_up(self) -> bool:
        """Whether quantities of days, tenants or labels may be added."""
        return self in (Aggregation.SUM, Aggregation.COUNT)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one meter reads from one event.

    `dimensions` is a JSON object of texts with sorted keys and without spaces. `value` is what UNIQUE tells apart.
    """

    meter: str
    aggregation: Aggregation
    quantity: Decimal
    dimensions: str = "{}"
    value: str = ""


@dataclass(frozen=True, slots=True)
class UsageEvent:
    """An event that is fit to be counted. (tenant, source, id) is unique for ever; `time` is when it happened.

    `digest` tells whether an event of the same name says the same; `payload` are the bytes that it was made of.
    """

    tenant: str
    source: str
    id: str
    time: datetime
    digest: bytes
    readings: tuple[Reading, ...]
    payload: bytes = b""
    trace_id: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is known by."""
        return self.tenant, self.source, self.id


class AsideReason(Enum):
    """Why an event is kept without being counted."""

    CONFLICT = "conflict"  # an event of the same tenant, source and id says something else
    UNKNOWN_TYPE = "unknown_type"  # no meter reads events of this type
    UNKNOWN_TENANT = "unknown_tenant"


@dataclass(frozen=True, slots=True)
class AsideEvent:
    """An event set aside: kept with its payload, counted, not billed. `seen` counts its deliveries."""

    reason: AsideReason
    event: UsageEvent
    received_at: datetime
    seen: int = 1


class Outcome(Enum):
    """What became of an event that was sent. REFUSED ones were malformed; nothing of them is kept."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_TENANT = "unknown_tenant"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a batch became; `late` of the accepted ones belong to a period that was closed before they came."""

    accepted: int = 0
    duplicates: int = 0
    conflicts: int = 0
    unknown: int = 0
    late: int = 0

    def __add__(self, other: "Receipt") -> "Receipt":
        """Two batches together."""
        return Receipt(
            self.accepted + other.accepted,
            self.duplicates + other.duplicates,
            self.conflicts + other.conflicts,
            self.unknown + other.unknown,
            self.late + other.late,
        )


class PeriodState(Enum):
    """OPEN until its month ends, GRACE while late senders are waited for, CLOSING while it is reckoned, CLOSED."""

    OPEN = "open"
    GRACE = "grace"
    CLOSING = "closing"
    CLOSED = "closed"

    @property
    def is_shut(self) -> bool:
        """Whether usage of this period that arrives now is an adjustment of a later one."""
        return self in (PeriodState.CLOSING, PeriodState.CLOSED)


@dataclass(frozen=True, slots=True)
class Period:
    """A month and how far it is. `controls` are the control totals of a closed one."""

    name: str
    state: PeriodState
    closed_at: datetime | None = None
    controls: Mapping[str, JSON] | None = None


@dataclass(frozen=True, slots=True)
class UsageTotal:
    """What one tenant used by one meter, of one day and one set of dimensions.

    `period` is the month in which it happened, `booked` the one whose invoice it stands on: a later one when it came
    after `period` was closed. What was set aside as a conflict is in `quarantined` (0 for MAX and UNIQUE, which do not
    add) and `quarantined_events`, and not in the others.
    """

    booked: str
    period: str
    day: date
    tenant: str
    meter: str
    aggregation: Aggregation
    dimensions: str
    quantity: Decimal
    events: int
    quarantined: Decimal = Decimal(0)
    quarantined_events: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """What one tenant used of one month by one meter, booked to one month: totals over days and dimensions."""

    period: str
    tenant: str
    meter: str
    aggregation: Aggregation
    quantity: Decimal
    events: int
    quarantined: Decimal = Decimal(0)
    quarantined_events: int = 0


@dataclass(frozen=True, slots=True)
class UsageCounter:
    """What one tenant ever used by one meter; it never falls. `tenant` is empty for all that are not shown alone.

    `traced` is the quantity of the latest event that carried a trace id.
    """

    tenant: str
    meter: str
    aggregation: Aggregation
    quantity: Decimal
    events: int
    trace_id: str = ""
    traced: Decimal = Decimal(0)
    traced_at: datetime | None = None


class LineKind(Enum):
    """USAGE of the period itself, ADJUSTMENT of an earlier one, CREDIT for a breach of what was promised."""

    USAGE = "usage"
    ADJUSTMENT = "adjustment"
    CREDIT = "credit"


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line of what a tenant is billed in the period `booked`; `period` is the one that it is about.

    `item` is a meter, or the contract of a credit. `quantity` = `free` + `billed`, exact. `amount` is what is invoiced,
    rounded once: money in `currency`, or units where the meter has no price and `currency` is empty. `terms` are what
    it was reckoned by; later adjustments go by the same.
    """

    booked: str
    kind: LineKind
    tenant: str
    item: str
    period: str
    unit: str
    quantity: Decimal
    free: Decimal
    billed: Decimal
    currency: str
    amount: Decimal
    terms: Mapping[str, JSON]
    note: str = ""
