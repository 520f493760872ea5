"""What metering needs from the store, as a protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # every command imports this; few see a value of these types
    from controlplane.model.event import JSON
    from controlplane.model.usage import (
        AsideEvent,
        InvoiceLine,
        Outcome,
        Period,
        PeriodState,
        Receipt,
        Tally,
        UsageCounter,
        UsageEvent,
        UsageTotal,
    )

EventKey = tuple[str, str, str]  # tenant, source, id


class UsageLog(Protocol):
    """Usage events, each counted once, and what they add up to. Writers go one after the other."""

    def record(self, events: Sequence[UsageEvent], aside: Sequence[AsideEvent], now: datetime) -> Receipt:
        """Count events that are new; leave those known; set aside those that contradict one known. Any order.

        An event whose period is shut is booked to the earliest one that is not. One that is counted now is no longer
        set aside for being unknown.
        """
        ...

    def refuse(self, events: int) -> None:
        """Count events that were malformed."""
        ...

    def outcomes(self) -> Mapping[Outcome, int]:
        """How many events ever had which fate."""
        ...

    def set_aside(self, limit: int, after: AsideEvent | None = None) -> list[AsideEvent]:
        """Events that are kept without being counted, by tenant, source, id and digest."""
        ...

    def periods(self) -> list[Period]:
        """Every month that has had usage, in order."""
        ...

    def move(self, period: str, state: PeriodState, now: datetime) -> bool:
        """Open it, or move it on; False when it is as far already. Never back."""
        ...

    def totals(self, *, booked: str = "", period: str = "", meters: Sequence[str] = ()) -> list[UsageTotal]:
        """Totals booked to a month, of a month, or of both, of some meters or all; sorted by their key."""
        ...

    def recount(self, booked: str, after: EventKey | None, limit: int) -> tuple[list[Tally], EventKey | None]:
        """What the next `limit` events add up to, reckoned anew from the events themselves, and where to go on.

        Begin with None, which also counts the conflicts; None comes back when nothing is left. For UNIQUE the
        quantity is the number of events that brought a new value.
        """
        ...

    def lines(self, booked: str = "", period: str = "") -> list[InvoiceLine]:
        """Invoice lines, sorted by booked, kind, tenant, item and period."""
        ...

    def close(self, period: str, lines: Sequence[InvoiceLine], controls: Mapping[str, JSON], now: datetime) -> bool:
        """Keep the lines and close it; False, and nothing changed, when it is closed. It must be CLOSING."""
        ...

    def counters(self) -> list[UsageCounter]:
        """What every tenant ever used, sorted by meter and tenant."""
        ...

    def shown(self) -> Mapping[str, bool]:
        """Whether a tenant's counters are shown alone."""
        ...

    def show(self, tenants: Sequence[str]) -> None:
        """Show these tenants' counters alone from now on; those of others count together."""
        ...

    def forget(self, before: str) -> int:
        """Drop events (not totals, not lines) booked to closed months before this one; how many they were."""
        ...
