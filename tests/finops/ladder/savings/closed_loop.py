"""A ladder, its platform and its receipts in one loop: what is spent depends on the tiers, and they on what is spent.

Pure, and the real thing but for store, flags and Prometheus: the controller decides, `measured` measures, `savings_now`
believes. Spend is made up minute by minute.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final

import numpy as np

from controlplane.model.ladder import (
    AppliedTier,
    LadderState,
    SavingsReceipt,
    StepCause,
    StepOutcome,
    StepPhase,
    StepRecord,
)
from finops.ladder.controller import decide, moved
from finops.ladder.deciding import ControllerState, Given, Move
from finops.ladder.model import Comparison, Condition, Ladder, Limits, Measure, Tier
from finops.ladder.readings import Quality, Reading, Readings
from finops.ladder.savings.believing import savings_now
from finops.ladder.savings.history import BLOCK, Floats, History, changes_of, full_service, regimes, usual
from finops.ladder.savings.receipts import closed, measured, opened
from tests.finops.ladder.ladders import a_ladder, a_signal, a_tier

MINUTE: Final = timedelta(minutes=1)
START: Final = datetime(2026, 3, 2, tzinfo=UTC)
NORMAL: Final = 8.0  # money an hour
DAYS: Final = 2  # of full service before anything happens
DAY: Final = 1440
COURSES: Final = ("step", "ramp", "bursts", "plateaus")


@dataclass(frozen=True)
class World:
    """Demand is `peak` times the normal one for `hours`, then normal again, with `noise` and a daily `swing`.

    Each of `shares` is what a tier cuts: of what would be spent without it, or, when `is_fixed`, of the normal spend.
    Tiers are declared to save `declared` times what they save of the normal spend. `window` is that of the burn rate.
    """

    course: str = "step"
    peak: float = 8.0
    hours: float = 4.0
    shares: tuple[float, ...] = (0.5,)
    is_fixed: bool = False
    declared: float = 1.0
    noise: float = 0.03
    swing: float = 0.0
    window: int = 60
    dwell: int = 10
    cool_down: int = 30
    knows_units: bool = False
    seed: int = 0

    @property
    def ladder(self) -> Ladder:
        """One burn rate; each tier is entered at twice the one below's."""
        tiers = [self._tier(number) for number in range(1, len(self.shares) + 1)]
        signals = [a_signal("burn", Measure.BURN_RATE, window=self.window * MINUTE)]
        if self.knows_units:
            signals.append(a_signal("call-cost", Measure.UNIT_COST, "calls"))
        limits = Limits(12, self.cool_down * MINUTE, 15 * MINUTE)
        return a_ladder(signals=tuple(signals), tiers=tuple(tiers), every=MINUTE, limits=limits)

    def _tier(self, number: int) -> Tier:
        enter = Decimal("2.5") * Decimal("1.4") ** (number - 1)
        return a_tier(
            number,
            f"t{number}",
            saving_per_hour=Decimal(repr(round(self.shares[number - 1] * NORMAL * self.declared, 2))),
            enter=Condition((Comparison("burn", enter),), needs_all=False),
            exit=Condition((Comparison("burn", enter * Decimal("0.72")),), needs_all=True),
            dwell=self.dwell * MINUTE,
        )

    @property
    def bound(self) -> int:
        """Minutes from normal demand until the ladder is at 0: tier by tier, and what looks back has to look past."""
        return len(self.shares) * (max(self.dwell, self.cool_down) + 10 + 2) + self.window + 90


@dataclass
class Loop:
    """One world, minute by minute. `tiers` is the tier of each minute since the crisis began."""

    world: World
    tiers: list[int] = field(default_factory=list)
    receipts: dict[tuple[str, int], SavingsReceipt] = field(default_factory=dict)
    steps: list[StepRecord] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ladder = self.world.ladder
        self.controller = ControllerState()
        self.applied: tuple[AppliedTier, ...] = ()
        self.calm_from = DAYS * DAY + round(self.world.hours * 60)
        self.end = self.calm_from + self.world.bound + 240
        self.demand = self._demand()
        self.money = np.zeros(self.end)
        self.blocks: list[float] = []
        self.units: list[float] = []

    @property
    def settled_after(self) -> int:
        """Minutes from normal demand until the ladder is at 0 for good; more than the bound when it never is."""
        calm = self.tiers[self.calm_from - DAYS * DAY :]
        return max((minute for minute, tier in enumerate(calm, start=1) if tier), default=0)

    @property
    def returns(self) -> int:
        """How often a tier came again while demand was high."""
        high = self.tiers[: self.calm_from - DAYS * DAY]
        ups = [(one, two) for one, two in pairwise(high) if two > one]
        return sum(ups.count(each) - 1 for each in set(ups))

    @property
    def saved(self) -> tuple[float, float]:
        """Money: what receipts say that was saved, without those that say it was lost, and the truth."""
        said = sum(max(float(receipt.saved or 0), 0.0) for receipt in self.receipts.values())
        without = NORMAL * self.demand[DAYS * DAY :]
        return said, float((without - self.money[DAYS * DAY :]).sum()) / 60

    def run(self) -> "Loop":
        """All of it."""
        quiet = DAYS * DAY
        self.money[:quiet] = NORMAL * self.demand[:quiet]
        for minute in range(quiet):
            self._ledger(minute)
        for minute in range(quiet, self.end):
            self.money[minute] = self._spent(minute)
            self._ledger(minute)
            if (minute + 1) % 5 == 0:
                self._measure(_at(minute + 1))
            self._decide(minute)
            self.tiers.append(self.controller.tier)
        return self

    def _demand(self) -> Floats:
        world, rng = self.world, np.random.default_rng(self.world.seed)
        at = np.arange(self.end)
        into = (at - DAYS * DAY) / (self.calm_from - DAYS * DAY)
        shape = {
            "step": np.ones(self.end),
            "ramp": np.clip(2 * into, 0, 1),
            "bursts": np.where((at // 20) % 3 == 0, 0.6, 1.0),
            "plateaus": np.where(into < 0.5, 1.0, 0.6),
        }[world.course]
        level = np.where((into >= 0) & (into < 1), 1 + (world.peak - 1) * shape, 1.0)
        slow = np.repeat(rng.normal(size=self.end // 5 + 1), 5)[: self.end]
        daily = 1 + world.swing * np.sin(2 * np.pi * (at / DAY + rng.uniform()))
        found: Floats = level * daily * np.maximum(1 + world.noise * slow, 0.05)
        return found

    def _spent(self, minute: int) -> float:
        spend = NORMAL * float(self.demand[minute])
        for tier in range(self.controller.tier):
            share = self.world.shares[tier]
            spend = max(spend - share * NORMAL, 0.0) if self.world.is_fixed else spend * (1 - share)
        return spend

    def _ledger(self, minute: int) -> None:
        """An entry of five minutes reaches back into the five before."""
        if (minute + 1) % 5:
            return
        now = minute + 1
        for kept, values in ((self.blocks, self.money), (self.units, self.demand)):
            entry = float(values[now - 5 : now].mean())
            before = float(values[max(now - 10, 0) : max(now - 5, 1)].mean())
            kept.append(0.6 * entry + 0.4 * before)

    def _decide(self, minute: int) -> None:
        now = _at(minute + 1)
        burn = Decimal(repr(round(float(self.money[minute + 1 - self.world.window : minute + 1].mean()) / NORMAL, 6)))
        state = LadderState(self.ladder.name, self.applied, {}, now)
        savings = savings_now(self.ladder, state, self.receipts.values())
        signals = {"burn": Reading(Quality.GOOD, burn, now, Decimal(1) / Decimal(NORMAL))}
        if self.world.knows_units:
            signals["call-cost"] = Reading(Quality.GOOD, Decimal(1), now)
        decision = decide(self.ladder, self.controller, Given(Readings(now, signals, {}, savings)), now)
        self.controller = decision.state
        if decision.move is not None:
            self._move(decision.move, now)

    def _move(self, move: Move, now: datetime) -> None:
        id_ = f"s{len(self.steps)}"
        self.steps.append(
            StepRecord(
                id=id_, ladder=self.ladder.name, store="platform", from_tier=move.from_tier, to_tier=move.to_tier,
                cause=StepCause.SIGNALS, reason="", actor="flyball", decided_at=now, phase=StepPhase.ENDED,
                changes=(), written_at=now, ended_at=now, outcome=StepOutcome.COMMITTED,
            )
        )  # fmt: skip
        kept = tuple(each for each in self.applied if each.tier <= move.to_tier)
        new = tuple(AppliedTier(tier, now, id_, ()) for tier in range(move.from_tier + 1, move.to_tier + 1))
        self.applied = (*kept, *new)
        self.controller = moved(self.ladder, self.controller, move, now)

    def _measure(self, now: datetime) -> None:
        """What the daemon of the receipts does every five minutes."""
        if not self.steps:
            return
        state = LadderState(self.ladder.name, self.applied, {}, now)
        for receipt in closed(state, list(self.receipts.values()), self.steps, now):
            self.receipts[receipt.step, receipt.tier] = receipt
        for receipt in opened(self.ladder, state, self.receipts.values()):
            self.receipts[receipt.step, receipt.tier] = receipt
        due: dict[str, list[SavingsReceipt]] = {}
        for receipt in self.receipts.values():
            if receipt.until is None or now - receipt.until <= timedelta(hours=2):
                due.setdefault(receipt.step, []).append(receipt)
        if not due:
            return
        money, start, count = np.array(self.blocks), START + BLOCK, len(self.blocks)
        full, changes = full_service(start, count, self.steps, now), changes_of(self.steps, now)
        load = np.array(self.units) if self.world.knows_units else usual(money, full)
        name = "calls" if self.world.knows_units else ""
        history = History(start, money, load, name, regimes(start, count, changes), full)
        for group in due.values():
            for receipt in measured(group, history, changes, now):
                self.receipts[receipt.step, receipt.tier] = receipt


def _at(minute: int) -> datetime:
    return START + minute * MINUTE


def any_world(seed: int) -> World:
    """A world drawn by its seed."""
    rng = np.random.default_rng(seed)
    tiers = int(rng.integers(1, 4))
    return World(
        course=COURSES[int(rng.integers(len(COURSES)))],
        peak=float(rng.uniform(5, 14)),
        hours=float(rng.uniform(0.5, 6)),
        shares=tuple(float(each) for each in rng.uniform(0.15, 0.6, size=tiers).round(2)),
        is_fixed=bool(rng.integers(2)),
        declared=float(rng.choice([0.5, 1.0, 2.0])),
        noise=float(rng.choice([0.0, 0.03, 0.08])),
        swing=float(rng.choice([0.0, 0.2])),
        window=int(rng.choice([10, 30, 60])),
        dwell=int(rng.choice([10, 30, 45])),
        cool_down=int(rng.choice([15, 30])),
        knows_units=bool(rng.integers(4) == 0),
        seed=seed,
    )
