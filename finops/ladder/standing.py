"""Where a ladder stands, with everything that was said about it: read in one transaction, shown by the views."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane.ladder_ports import LadderLog
from controlplane.model.ladder import Approval, LadderHold, LadderOrder, LadderState, SavingsReceipt, StepRecord
from finops.ladder.last_decision import LastDecision, last_of
from finops.ladder.model import Ladder, Mode, Tier

SHADOW: Final = "/shadow"
_RECENT: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Standing:
    """One ladder at a moment. `ladder` is None when it is declared no more, `state` before its first sample.

    `last` is what was decided last: in shadow mode about a state of its own, where the ladder would stand. `approvals`
    are the valid ones, `orders` those not done, `receipts` those of the last 30 days.
    """

    name: str
    at: datetime
    ladder: Ladder | None
    state: LadderState | None
    last: LastDecision | None
    step: StepRecord | None
    hold: LadderHold | None
    approvals: tuple[Approval, ...]
    orders: tuple[LadderOrder, ...]
    receipts: tuple[SavingsReceipt, ...]

    @property
    def tier(self) -> int:
        """The tier in force, 0 at full service."""
        return self.state.tier if self.state else 0

    @property
    def since(self) -> datetime | None:
        """Since when it is in force; None at full service, and where nobody knows."""
        return self.state.applied[-1].since if self.state and self.state.applied else None

    @property
    def is_shadow(self) -> bool:
        """Whether it only tells what it would do."""
        return self.ladder is not None and self.ladder.mode is Mode.SHADOW

    @property
    def theirs(self) -> Mapping[str, bool | int | str]:
        """Flags that people changed, with what we had written."""
        return (self.state.theirs if self.state else None) or {}

    @property
    def asks(self) -> tuple[int, ...]:
        """Tiers for which an approval is asked for and none is valid."""
        approved = {each.tier for each in self.approvals}
        return tuple(tier for tier in (self.last.asks if self.last else ()) if tier not in approved)

    def declared(self, tier: int) -> Tier | None:
        """The tier of that number, where it is declared."""
        return self.ladder.tier(tier) if self.ladder else None


def standing(log: LadderLog, name: str, ladder: Ladder | None, now: datetime) -> Standing:
    """Where the ladder of that name stands."""
    state = log.state(name)
    told = log.state(name + SHADOW) if ladder is not None and ladder.mode is Mode.SHADOW else state
    hold = log.hold(name)
    return Standing(
        name=name,
        at=now,
        ladder=ladder,
        state=state,
        last=last_of(told),
        step=log.open_step(name),
        hold=hold if hold is not None and hold.is_on(now) else None,
        approvals=tuple(each for each in log.approvals(name, now) if each.is_valid(now)),
        orders=tuple(log.open_orders(name)),
        receipts=tuple(log.receipts(name, now - _RECENT)),
    )


def standings(log: LadderLog, declared: Mapping[str, Ladder], now: datetime) -> list[Standing]:
    """All that are declared, and those that are not any more and yet have a tier in force or a step open; by name."""
    names = set(declared)
    for state in log.states():
        if not state.ladder.endswith(SHADOW) and (state.applied or log.open_step(state.ladder) is not None):
            names.add(state.ladder)
    return [standing(log, name, declared.get(name), now) for name in sorted(names)]
