"""What the downshift ladder needs from the store and from other features, as protocols."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # every command imports this; few see a value of these types
    from controlplane.model.check import CheckResult
    from controlplane.model.ladder import Approval, LadderHold, LadderOrder, LadderState, SavingsReceipt, StepRecord


class LadderLog(Protocol):
    """Where ladders stand, what they did, and what people said. `put_…` replaces what stands under the same id."""

    def lock(self) -> None:
        """Take the right to write until the transaction ends: what is read from now on is what is written over."""
        ...

    def states(self) -> list[LadderState]:
        """Of every ladder that ever moved or was judged, by name; a ladder that is no longer declared too."""
        ...

    def state(self, ladder: str) -> LadderState | None:
        """Where one stands; None before its first sample."""
        ...

    def put_state(self, state: LadderState) -> None:
        """Let it stand there."""
        ...

    def step(self, step: str) -> StepRecord | None:
        """The one of that id."""
        ...

    def open_step(self, ladder: str) -> StepRecord | None:
        """The one that has not ended."""
        ...

    def steps(self, ladder: str, since: datetime | None = None, limit: int = 1000) -> list[StepRecord]:
        """Those decided at `since` or later, newest first."""
        ...

    def put_step(self, step: StepRecord) -> None:
        """Keep it as it is now. Raises `Permanent` when another one of its ladder is open, or when it has ended."""
        ...

    def approvals(self, ladder: str, since: datetime | None = None) -> list[Approval]:
        """Those that end after `since` (None: all), oldest first."""
        ...

    def approval(self, approval: str) -> Approval | None:
        """The one of that id."""
        ...

    def put_approval(self, approval: Approval) -> None:
        """Keep it as it is now. Raises `Permanent` when that would give back one that was used or withdrawn."""
        ...

    def hold(self, ladder: str) -> LadderHold | None:
        """The one that was set last and not lifted, over or not."""
        ...

    def put_hold(self, hold: LadderHold) -> None:
        """Replaces the ladder's earlier one."""
        ...

    def lift_hold(self, ladder: str) -> bool:
        """Whether there was one."""
        ...

    def order(self, order: str) -> LadderOrder | None:
        """The one of that id."""
        ...

    def open_orders(self, ladder: str) -> list[LadderOrder]:
        """Those that are not done, oldest first."""
        ...

    def put_order(self, order: LadderOrder) -> None:
        """Keep it as it is now. Raises `Permanent` when it is done."""
        ...

    def receipts(self, ladder: str, since: datetime | None = None) -> list[SavingsReceipt]:
        """Those in force at `since` or later (None: all), oldest first."""
        ...

    def put_receipt(self, receipt: SavingsReceipt) -> None:
        """Keep it as it is now: one for each step and tier."""
        ...

    def purge(self, before: datetime) -> int:
        """Forget steps, orders, receipts and approvals that were over before then; how many rows they were.

        Steps of tiers in force are kept, and so are the receipts and orders that are open.
        """
        ...


class JourneyRunner(Protocol):
    """Walks journeys now, in full: the ladder's way to see that core flows stay green."""

    def run(self, journeys: Sequence[str], now: datetime) -> list[CheckResult]:
        """One result for each, in order. One that is not declared or cannot run is a fault; nothing is raised."""
        ...
