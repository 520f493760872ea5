"""What the pages about ladders are tested with: one reduced, one in shadow, one that is declared no more."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from starlette.applications import Starlette

from controlplane.model.ladder import (
    AppliedTier,
    LadderHold,
    LadderState,
    SavingsReceipt,
    StepCause,
    StepOutcome,
    StepPhase,
    StepRecord,
)
from controlplane.ports import Store
from finops.ladder.deciding import Because, ControllerState, Decision, Note
from finops.ladder.last_decision import LAST, last_as_json
from finops.ladder.model import Ladder, Mode
from finops.ladder.readings import Quality, Reading, Readings
from flyball.web.console import console_routes, exception_handlers
from tests.finops.ladder.controller.building import a_ladder, a_tier
from tests.flyball.web.world import NASTY, NOW, State

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True)
class Ladders:
    """A `LaddersState`."""

    declared: tuple[Ladder, ...] = ()
    stopped: str = ""

    def ladders(self) -> Sequence[Ladder]:
        return self.declared

    def why_stopped(self) -> str:
        return self.stopped


def everything() -> Ladders:
    tiers = (a_tier(1), a_tier(2), replace(a_tier(3), description=f"Sheds {NASTY}"))
    reduced = replace(a_ladder(*tiers), name="intelgraph", display_name="IntelGraph", mode=Mode.ENFORCE)
    return Ladders((reduced, replace(reduced, name="shop", display_name=f"Shop {NASTY}", mode=Mode.SHADOW)))


def readings() -> Readings:
    at = NOW - MINUTE
    signals = {
        "burn": Reading(Quality.GOOD, Decimal("4.25"), at, Decimal("0.2")),
        "forecast": Reading(Quality.STALE, reason=f"its data is 1 h old {NASTY}"),
    }
    return Readings(at, signals, {}, {1: Decimal(1), 2: Decimal(3)})


def a_state(name: str, tier: int, mode: Mode, **changes: object) -> LadderState:
    notes = (Note(Because.COUNTING, f"burn is 4.25, tier 3 wants 6 or more {NASTY}", 3),)
    decision = Decision(ControllerState(tier, NOW - HOUR, {3: 1}, leaving=2), None, notes, (3,))
    applied = tuple(AppliedTier(number, NOW - HOUR, f"s{number}", ()) for number in range(1, tier + 1))
    counters = {LAST: last_as_json(decision, readings(), mode, NOW - MINUTE)}
    return replace(LadderState(name, applied, counters, NOW), **changes)  # type: ignore[arg-type]


def a_step(number: int, *, to: int, outcome: StepOutcome, ago: timedelta) -> StepRecord:
    at = NOW - ago
    return StepRecord(
        f"s{number}", "intelgraph", "platform", to - 1, to, StepCause.SIGNALS, f"burn is 4 {NASTY}", "flyball", at,
        StepPhase.ENDED, (), ended_at=at + MINUTE, outcome=outcome, detail="" if to < 3 else "core-flow failed",
    )  # fmt: skip


IDLE = SavingsReceipt(
    "s1", "intelgraph", 1, "USD", Decimal(4), NOW - 5 * HOUR, realised=Decimal("0.1"), low=Decimal("-0.3"),
    high=Decimal("0.5"), saved=Decimal("0.5"), measured_at=NOW,
)  # fmt: skip
"""Of a tier that does not pay."""


def fill(store: Store) -> None:
    gone = a_state("gone", 1, Mode.ENFORCE, counters={})
    shadow = a_state("shop/shadow", 0, Mode.SHADOW)
    receipt = SavingsReceipt(
        "s2", "intelgraph", 2, "USD", Decimal(3), NOW - HOUR, realised=Decimal("2.5"), low=Decimal("1.5"),
        high=Decimal("3.5"), saved=Decimal("2.5"), measured_at=NOW, note=f"load rose {NASTY}",
    )  # fmt: skip
    with store.transaction() as transaction:
        log = transaction.ladders
        for state in (a_state("intelgraph", 2, Mode.ENFORCE, theirs={"depth": 2}), shadow, gone):
            log.put_state(state)
        log.put_hold(LadderHold("intelgraph", f"ann {NASTY}", "a release", NOW - HOUR, NOW + HOUR))
        log.put_step(a_step(1, to=1, outcome=StepOutcome.COMMITTED, ago=5 * HOUR))
        log.put_step(a_step(2, to=2, outcome=StepOutcome.COMMITTED, ago=HOUR))
        log.put_step(a_step(3, to=3, outcome=StepOutcome.UNDONE, ago=30 * MINUTE))
        log.put_receipt(receipt)
        log.put_receipt(IDLE)


def application(state: State, ladders: Ladders) -> Starlette:
    routes = console_routes(state, ladders=ladders)
    return Starlette(routes=routes, exception_handlers=dict(exception_handlers()))
