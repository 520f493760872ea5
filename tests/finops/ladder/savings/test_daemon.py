"""Receipts from a tier's first minute to its last, on a store in a file and spend that we make up."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from controlplane.model.ladder import (
    AppliedTier,
    LadderState,
    SavingsReceipt,
    StepCause,
    StepOutcome,
    StepPhase,
    StepRecord,
)
from controlplane.model.series import Sample, Series
from controlplane.ports import Transient
from controlplane.store import SqlStore, migrate, open_store
from finops.ladder.model import Growth, Ladder, Measure
from finops.ladder.savings.believing import saves_nothing, savings_now
from finops.ladder.savings.daemon import SavingsDaemon
from tests.finops.ladder.ladders import a_ladder, a_signal, a_tier

T0 = datetime(2026, 3, 9, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("savings") / "state.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def store(database: Path, tmp_path: Path) -> Iterator[SqlStore]:
    copy = tmp_path / "state.db"
    copy.write_bytes(database.read_bytes())
    opened = open_store(f"sqlite:///{copy}")
    yield opened
    opened.close()


@dataclass
class Platform:
    """Spends 20 an hour, less what tiers in force save; both it and its ladder's steps are written down."""

    store: SqlStore
    ladder: Ladder
    saves: dict[int, float] = field(default_factory=lambda: {1: 3.0, 2: 5.0})
    history: timedelta = 3 * DAY
    is_down: bool = False
    level: float = 20.0
    lull: tuple[datetime, datetime] | None = None
    asked: list[tuple[datetime, datetime]] = field(default_factory=list)
    steps: list[StepRecord] = field(default_factory=list)

    def step(self, at: datetime, to: int, *, name: str = "", outcome: StepOutcome = StepOutcome.COMMITTED) -> str:
        """A step that is written at once and ends a minute later."""
        name = name or self.ladder.name
        state = self.state(name)
        begun = StepRecord(
            id=f"{name}-{len(self.steps)}", ladder=name, store="platform", from_tier=state.tier, to_tier=to,
            cause=StepCause.SIGNALS, reason="llm-burn is 4", actor="flyball", decided_at=at,
            phase=StepPhase.WRITING, changes=(), written_at=at,
        )  # fmt: skip
        ended = replace(begun, phase=StepPhase.ENDED, outcome=outcome, ended_at=at + MINUTE)
        self.steps.append(ended)
        kept = tuple(each for each in state.applied if each.tier <= to)
        new = tuple(AppliedTier(tier, at + MINUTE, begun.id, ()) for tier in range(state.tier + 1, to + 1))
        with self.store.transaction() as transaction:
            transaction.ladders.put_step(begun)
            transaction.ladders.put_step(ended)
            if outcome is StepOutcome.COMMITTED:
                transaction.ladders.put_state(LadderState(name, (*kept, *new), {}, at))
        return begun.id

    def state(self, name: str = "") -> LadderState:
        """Where a ladder stands."""
        with self.store.transaction(read_only=True) as transaction:
            return transaction.ladders.state(name or self.ladder.name) or LadderState(self.ladder.name, (), {}, T0)

    def query(self, expr: str, at: datetime) -> list[Sample]:
        """Nobody asks for an instant."""
        raise AssertionError((expr, at))

    def query_range(self, expr: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        """Money an hour, or units, with a little noise that is the same each time."""
        if self.is_down:
            raise Transient("no route to host")
        self.asked.append((start, end))
        first = max(start, T0 - self.history)
        times = [first + number * step for number in range((end - first) // step + 1)]
        value = self._units if "unit_cost" in expr else self._money
        return [Series({}, tuple((at, value(at)) for at in times))] if times else []

    def _money(self, at: datetime) -> float:
        saved = 0.0
        for step in self.steps:
            if step.ladder == self.ladder.name and step.outcome is StepOutcome.COMMITTED and step.decided_at < at:
                saved = sum(self.saves[tier] for tier in range(1, step.to_tier + 1))
        is_lull = self.lull is not None and self.lull[0] < at <= self.lull[1]
        level = 20.0 if at <= T0 + 2 * HOUR and not is_lull else self.level
        return (level * _noise(at) - saved) * (0.3 if is_lull else 1)

    def _units(self, at: datetime) -> float:
        return 1000 * _noise(at + HOUR)


@cache
def _noise(at: datetime) -> float:
    return 1 + 0.03 * float(np.random.default_rng(int(at.timestamp()) // 300).normal())


@dataclass
class Keeper:
    """The daemon, called every half hour (in life once a minute)."""

    platform: Platform
    daemon: SavingsDaemon
    now: datetime = T0

    def run(self, until: datetime) -> list[SavingsReceipt]:
        """The receipts then."""
        while self.now < until:
            self.now = min(self.now + 30 * MINUTE, until)
            self.daemon.run_once([self.platform.ladder], self.now)
        with self.platform.store.transaction(read_only=True) as transaction:
            return transaction.ladders.receipts(self.platform.ladder.name)


@pytest.fixture
def keeper(store: SqlStore) -> Keeper:
    platform = Platform(store, a_ladder())
    return Keeper(platform, SavingsDaemon(store, platform))


def near(value: Decimal | None, truth: float, by: float = 0.6) -> bool:
    return value is not None and abs(float(value) - truth) < by


def test_a_receipt_is_opened_measured_and_closed(keeper: Keeper) -> None:
    step = keeper.platform.step(T0, 1)
    (young,) = keeper.run(T0 + 20 * MINUTE)
    assert (young.step, young.tier, young.currency, young.predicted) == (step, 1, "USD", Decimal(3))
    assert (young.since, young.realised, young.saved) == (T0 + MINUTE, None, None)
    assert "too little was seen" in young.note
    (known,) = keeper.run(T0 + HOUR)
    assert near(known.realised, 3.0)
    assert known.low is not None
    assert known.high is not None
    assert known.low < 3 < known.high
    assert "corrected for what these hours usually cost" in known.note
    keeper.platform.step(T0 + 3 * HOUR, 0)
    (over,) = keeper.run(T0 + 4 * HOUR)
    assert over.until == T0 + 3 * HOUR
    assert near(over.saved, 9.0, by=1.5)
    final = keeper.run(T0 + 5 * HOUR)
    assert keeper.run(T0 + 7 * HOUR) == final


def test_the_next_step_ends_the_measurement_of_the_one_before(keeper: Keeper) -> None:
    keeper.platform.step(T0, 1)
    keeper.run(T0 + HOUR)
    keeper.platform.step(T0 + HOUR, 2)
    first, second = keeper.run(T0 + 2 * HOUR)
    assert near(first.realised, 3.0)
    assert near(second.realised, 5.0)
    assert first.until is None
    assert near(first.saved, 6.0, by=1.2)


def test_a_step_that_came_too_soon_leaves_both_unmeasured(keeper: Keeper) -> None:
    keeper.platform.step(T0, 1)
    keeper.platform.step(T0 + 12 * MINUTE, 2)
    first, second = keeper.run(T0 + 3 * HOUR)
    assert [first.realised, second.realised] == [None, None]
    assert "too little was seen" in first.note


def test_what_was_entered_too_fast_to_be_measured_is_measured_when_it_is_left(keeper: Keeper) -> None:
    keeper.platform.step(T0, 1)
    keeper.platform.step(T0 + 12 * MINUTE, 2)
    keeper.run(T0 + HOUR)
    keeper.platform.step(T0 + HOUR, 1)
    keeper.run(T0 + 2 * HOUR)
    keeper.platform.step(T0 + 2 * HOUR, 0)
    first, second = keeper.run(T0 + 4 * HOUR)
    assert near(first.realised, 3.0)
    assert near(second.realised, 5.0)
    assert "before it was left against" in second.note
    assert near(second.saved, 4.0)


def test_entering_and_leaving_together_say_more_than_either(keeper: Keeper) -> None:
    keeper.platform.step(T0, 1)
    (entered,) = keeper.run(T0 + 90 * MINUTE)
    keeper.platform.step(T0 + 91 * MINUTE, 0)
    (both,) = keeper.run(T0 + 4 * HOUR)
    assert near(both.realised, 3.0)
    assert width(both) < width(entered) * Decimal("0.95")


def width(receipt: SavingsReceipt) -> Decimal:
    assert receipt.low is not None
    assert receipt.high is not None
    return receipt.high - receipt.low


def test_a_step_that_was_undone_only_interrupts(keeper: Keeper) -> None:
    keeper.platform.step(T0, 1)
    keeper.platform.step(T0 + 12 * MINUTE, 2, outcome=StepOutcome.UNDONE)
    (only,) = keeper.run(T0 + 90 * MINUTE)
    assert near(only.realised, 3.0)


def test_tiers_that_came_together_share_what_they_saved_by_what_was_predicted(keeper: Keeper) -> None:
    keeper.platform.step(T0, 2)
    receipts = keeper.run(T0 + 2 * HOUR)
    assert [receipt.tier for receipt in receipts] == [1, 2]
    assert receipts[0].realised == receipts[1].realised
    assert near(receipts[0].realised, 4.0)
    assert "2 tiers came with one step" in receipts[0].note


def test_a_step_of_another_ladder_at_the_same_time_cannot_be_told_apart(keeper: Keeper) -> None:
    keeper.platform.step(T0, 1)
    keeper.platform.step(T0 + 2 * MINUTE, 1, name="another")
    (only,) = keeper.run(T0 + 2 * HOUR)
    assert only.realised is None


def test_a_unit_cost_corrects_for_load(store: SqlStore) -> None:
    signals = (a_signal("burn", Measure.BURN_RATE), a_signal("call-cost", Measure.UNIT_COST, "calls"))
    platform = Platform(store, a_ladder(signals=signals, growth=Growth("call-cost", Decimal("1.05"))))
    platform.step(T0, 1)
    (only,) = Keeper(platform, SavingsDaemon(store, platform)).run(T0 + 2 * HOUR)
    assert near(only.realised, 3.0)
    assert "corrected for the units of calls" in only.note


def test_without_history_a_receipt_says_what_it_lacks(store: SqlStore) -> None:
    platform = Platform(store, a_ladder(), history=HOUR)
    platform.step(T0, 1)
    (only,) = Keeper(platform, SavingsDaemon(store, platform)).run(T0 + 2 * HOUR)
    assert near(only.realised, 3.0)
    assert "not corrected for load" in only.note
    assert "interval from the blocks alone" in only.note


def test_without_metrics_receipts_are_opened_and_closed_and_wait_to_be_measured(keeper: Keeper) -> None:
    keeper.platform.is_down = True
    keeper.platform.step(T0, 1)
    (waiting,) = keeper.run(T0 + HOUR)
    assert waiting.realised is None
    keeper.platform.is_down = False
    (known,) = keeper.run(T0 + 65 * MINUTE)
    assert near(known.realised, 3.0)


def test_spend_is_asked_for_once(keeper: Keeper) -> None:
    keeper.platform.step(T0, 1)
    keeper.run(T0 + 2 * HOUR)
    spans = [end - start for start, end in keeper.platform.asked]
    assert spans[0] == 15 * DAY
    assert max(spans[1:]) <= 45 * MINUTE


def test_what_is_declared_is_believed_until_something_narrow_is_measured(keeper: Keeper) -> None:
    keeper.platform.step(T0, 1)
    (receipt,) = keeper.run(T0 + 2 * HOUR)
    ladder, state = keeper.platform.ladder, keeper.platform.state()
    assert savings_now(ladder, state, []) == {1: Decimal(3)}
    assert savings_now(ladder, state, [receipt]) == {1: receipt.realised}
    wide = replace(receipt, low=Decimal(-4), high=Decimal(2), realised=Decimal(-1))
    assert savings_now(ladder, state, [wide]) == {1: Decimal(2)}
    assert savings_now(ladder, state, [replace(wide, low=Decimal(4), high=Decimal(9))]) == {1: Decimal(4)}
    assert savings_now(ladder, state, [replace(wide, low=Decimal(-9), high=Decimal(-1))]) == {1: Decimal(0)}
    assert savings_now(ladder, LadderState("intelgraph", (), {}, T0), [receipt]) == {}


def test_what_is_believed_shrinks_with_the_spend_that_is_left(keeper: Keeper) -> None:
    keeper.platform.step(T0, 1)
    (young,) = keeper.run(T0 + 25 * MINUTE)
    assert young.realised is None
    assert near(young.remaining, 1.0, by=0.05)
    (receipt,) = keeper.run(T0 + 2 * HOUR)
    assert near(receipt.remaining, 1.0, by=0.05)
    assert receipt.realised is not None
    ladder, state = keeper.platform.ladder, keeper.platform.state()
    keeper.platform.level = 8.0
    (calm,) = keeper.run(T0 + 4 * HOUR)
    assert near(calm.realised, 3.0)
    assert near(calm.remaining, 5 / 17, by=0.03)
    assert calm.remaining is not None
    assert calm.realised is not None
    assert savings_now(ladder, state, [calm]) == {1: calm.realised * calm.remaining}
    assert savings_now(ladder, state, [replace(young, remaining=Decimal("0.5"))]) == {1: Decimal("1.5")}
    assert near(calm.saved, 3 * 2 + 2 * 3 * 5 / 17, by=1.2)


def test_a_lull_of_minutes_takes_nothing_from_what_is_believed(keeper: Keeper) -> None:
    keeper.platform.step(T0, 1)
    keeper.run(T0 + 2 * HOUR)
    keeper.platform.lull = T0 + 2 * HOUR, T0 + 2 * HOUR + 15 * MINUTE
    (lull,) = keeper.run(T0 + 2 * HOUR + 15 * MINUTE)
    assert lull.remaining is not None
    assert lull.remaining > Decimal("0.8")


def test_a_tier_that_saves_next_to_nothing_is_found_out_when_it_was_seen_for_long_enough(store: SqlStore) -> None:
    ladder = a_ladder(tiers=(a_tier(1, "observe", saving_per_hour=Decimal(6)),))
    platform = Platform(store, ladder, saves={1: 0.0})
    keeper = Keeper(platform, SavingsDaemon(store, platform))
    keeper.platform.step(T0, 1)
    (early,) = keeper.run(T0 + 40 * MINUTE)
    assert not saves_nothing(early, T0 + 40 * MINUTE)
    (late,) = keeper.run(T0 + 3 * HOUR)
    assert late.high is not None
    assert late.high < Decimal("1.5")
    assert saves_nothing(late, T0 + 3 * HOUR)
    assert not saves_nothing(replace(late, predicted=Decimal(1), high=Decimal("0.3")), T0 + 3 * HOUR)
