"""What a batch of events adds to totals and counters, before any of it is written. Pure."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from controlplane.model import exact
from controlplane.model.usage import Aggregation, Reading, UsageEvent

TotalKey = tuple[str, str, date, str, str, str]  # booked, period, day, tenant, meter, dimensions
CounterKey = tuple[str, str]  # meter, tenant


@dataclass(slots=True)
class Sum:
    """A quantity that grows as its meter says."""

    aggregation: Aggregation
    quantity: Decimal = exact.ZERO
    events: int = 0
    quarantined: Decimal = exact.ZERO
    quarantined_events: int = 0
    trace_id: str = ""
    traced: Decimal = exact.ZERO
    traced_at: datetime | None = None

    def take(self, quantity: Decimal, events: int = 1) -> None:
        """Count this, too."""
        self.events += events
        if self.aggregation is Aggregation.MAX:
            self.quantity = max(self.quantity, quantity)
        else:
            self.quantity = exact.add(self.quantity, quantity)

    def quarantine(self, quantity: Decimal) -> None:
        """Count this among what was set aside; values and maxima do not add up."""
        self.quarantined_events += 1
        if self.aggregation.adds_up:
            self.quarantined = exact.add(self.quarantined, quantity)


@dataclass(slots=True)
class Folded:
    """Totals and counters of one batch. `new_value` says whether a UNIQUE reading brought one."""

    totals: dict[TotalKey, Sum] = field(default_factory=dict)
    counters: dict[CounterKey, Sum] = field(default_factory=dict)

    def count(self, event: UsageEvent, booked: str, period: str, quantities: tuple[Decimal, ...]) -> None:
        """An accepted event; `quantities` are those of its readings, as counted."""
        day = event.time.date()
        for reading, quantity in zip(event.readings, quantities, strict=True):
            self._total(event, reading, booked, period, day).take(quantity)
            key = (reading.meter, event.tenant)
            counter = self.counters.get(key)
            if counter is None:
                counter = self.counters[key] = Sum(reading.aggregation)
            counter.take(quantity)
            if event.trace_id:
                counter.trace_id, counter.traced, counter.traced_at = event.trace_id, quantity, event.time

    def set_aside(self, event: UsageEvent, booked: str, period: str) -> None:
        """An event that contradicts an earlier one."""
        day = event.time.date()
        for reading in event.readings:
            self._total(event, reading, booked, period, day).quarantine(reading.quantity)

    def _total(self, event: UsageEvent, reading: Reading, booked: str, period: str, day: date) -> Sum:
        key = (booked, period, day, event.tenant, reading.meter, reading.dimensions)
        total = self.totals.get(key)
        if total is None:
            total = self.totals[key] = Sum(reading.aggregation)
        return total
