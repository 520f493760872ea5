"""What is on /metrics of a ladder, as Prometheus reads it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

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
from controlplane.ports import Transient
from controlplane.store import SqlStore, migrate, open_store
from finops.ladder.collector import LadderCollector
from finops.ladder.deciding import Because, ControllerState, Decision, Note
from finops.ladder.last_decision import last_as_json
from finops.ladder.model import Ladder, Mode
from finops.ladder.readings import Quality, Reading, Readings
from tests.finops.ladder.ladders import a_ladder, a_tier

NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LADDER = a_ladder(tiers=(a_tier(1, "observe", expires_after=24 * HOUR), a_tier(2, "throttle")))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    path: Path = tmp_path_factory.mktemp("collector") / "state.db"
    migrate(f"sqlite:///{path}")
    opened = open_store(f"sqlite:///{path}")
    with opened.transaction() as transaction:
        for name, is_shadow in (("intelgraph", False), ("quiet", False), ("quiet/shadow", True)):
            transaction.ladders.put_state(state(name, is_shadow=is_shadow))
        transaction.ladders.put_step(a_step("s1", StepOutcome.COMMITTED))
        transaction.ladders.put_step(a_step("s2", StepOutcome.UNDONE))
        transaction.ladders.put_step(a_step("s3", None))
        transaction.ladders.put_hold(LadderHold("intelgraph", "ann", "release", NOW - HOUR, None))
        receipt = SavingsReceipt(
            "s1", "intelgraph", 1, "USD", Decimal(3), NOW - 2 * HOUR, realised=Decimal("0.4"), low=Decimal("0.2"),
            high=Decimal("0.6"), saved=Decimal("0.8"), measured_at=NOW,
        )  # fmt: skip
        transaction.ladders.put_receipt(receipt)
    yield opened
    opened.close()


def state(name: str, *, is_shadow: bool) -> LadderState:
    readings = Readings(
        NOW,
        {"llm-burn": Reading(Quality.GOOD, Decimal("2.4"), NOW), "spike": Reading(Quality.STALE, reason="old")},
        {"gateway": Reading(Quality.MISSING, reason="no data")},
    )
    notes = (
        Note(Because.NO_DATA, "no data", is_alert=True), Note(Because.NEEDS_APPROVAL, "asks", 2),
        Note(Because.COUNTING, "1 of 3"),
    )  # fmt: skip
    decision = Decision(ControllerState(tier=2 if is_shadow else 1), None, notes, asks=(2,))
    counters = {"last": last_as_json(decision, readings, LADDER.mode, NOW)}
    if name != "intelgraph":
        return LadderState(name, (), counters, NOW)
    applied = (AppliedTier(1, NOW - 2 * HOUR, "s1", ()),)
    told = {"store-down": {"since": (NOW - HOUR).isoformat(), "paged": True}}
    return LadderState(name, applied, counters, NOW, store="platform", theirs={"batch-frozen": True}, told=told)


def a_step(name: str, outcome: StepOutcome | None) -> StepRecord:
    at = NOW - HOUR
    return StepRecord(
        id=name, ladder="intelgraph", store="platform", from_tier=0, to_tier=1, cause=StepCause.SIGNALS, reason="",
        actor="flyball", decided_at=at, phase=StepPhase.ENDED if outcome else StepPhase.SHOWING, changes=(),
        ended_at=at + HOUR / 60 if outcome else None, outcome=outcome,
    )  # fmt: skip


@dataclass(frozen=True)
class Stopped:
    """A clock."""

    def now(self) -> datetime:
        return NOW


def exposed(store: SqlStore, *ladders: Ladder, killed: str = "") -> list[str]:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(LadderCollector(store, lambda: ladders, lambda: killed, Stopped()))
    lines = [line.rsplit(" ", 1) for line in generate_latest(registry).decode().splitlines() if line[0] != "#"]
    return [f"{name} {float(value)!r}" for name, value in lines]


def test_everything_that_alerts_and_dashboards_read_is_there(store: SqlStore) -> None:
    lines = exposed(store, LADDER)
    of = 'ladder="intelgraph"'
    hour_ago, minute_later = (NOW - HOUR).timestamp(), (NOW - HOUR + HOUR / 60).timestamp()
    assert sorted(lines) == sorted(
        [
            f"flyball_ladder_tier{{{of}}} 1.0",
            f'flyball_ladder_info{{flag_store="platform",{of},mode="enforce",owner="team-platform"}} 1.0',
            f'flyball_ladder_signal{{{of},signal="llm-burn"}} 2.4',
            f'flyball_ladder_signal_good{{{of},signal="brake:gateway"}} 0.0',
            f'flyball_ladder_signal_good{{{of},signal="llm-burn"}} 1.0',
            f'flyball_ladder_signal_good{{{of},signal="spike"}} 0.0',
            f"flyball_ladder_sample_timestamp_seconds{{{of}}} {NOW.timestamp()!r}",
            f'flyball_ladder_held{{{of},reason="held"}} 1.0',
            f'flyball_ladder_held{{{of},reason="needs-approval"}} 1.0',
            f'flyball_ladder_held{{{of},reason="no-data"}} 1.0',
            f'flyball_ladder_held{{{of},reason="theirs"}} 1.0',
            f'flyball_ladder_waits_for_approval{{{of},tier="2"}} 1.0',
            f"flyball_ladder_yielded_flags{{{of}}} 1.0",
            f'flyball_ladder_step_started_timestamp_seconds{{{of},phase="showing"}} {hour_ago!r}',
            f'flyball_ladder_steps{{{of},outcome="committed"}} 1.0',
            f'flyball_ladder_steps{{{of},outcome="refused"}} 0.0',
            f'flyball_ladder_steps{{{of},outcome="undone"}} 1.0',
            f'flyball_ladder_steps{{{of},outcome="yielded"}} 0.0',
            f"flyball_ladder_step_failed_timestamp_seconds{{{of}}} {minute_later!r}",
            f"flyball_ladder_flag_store_down_timestamp_seconds{{{of}}} {hour_ago!r}",
            f'flyball_ladder_tier_expires_timestamp_seconds{{{of},tier="1"}} {(NOW + 22 * HOUR).timestamp()!r}',
            f'flyball_ladder_saving_per_hour{{currency="USD",{of},of="high",tier="1"}} 0.6',
            f'flyball_ladder_saving_per_hour{{currency="USD",{of},of="low",tier="1"}} 0.2',
            f'flyball_ladder_saving_per_hour{{currency="USD",{of},of="predicted",tier="1"}} 3.0',
            f'flyball_ladder_saving_per_hour{{currency="USD",{of},of="realised",tier="1"}} 0.4',
            f'flyball_ladder_saved{{currency="USD",{of},tier="1"}} 0.8',
            f'flyball_ladder_tier_saves_nothing{{currency="USD",{of},tier="1"}} 1.0',
            "flyball_ladder_kill_switch 0.0",
        ]
    )


def test_in_shadow_mode_there_is_where_it_would_be(store: SqlStore) -> None:
    lines = exposed(store, a_ladder(name="quiet", mode=Mode.SHADOW), killed="the file /run/stop")
    assert 'flyball_ladder_shadow_tier{ladder="quiet"} 2.0' in lines
    assert 'flyball_ladder_tier{ladder="quiet"} 0.0' in lines
    assert "flyball_ladder_kill_switch 1.0" in lines
    assert 'flyball_ladder_tier{ladder="intelgraph"} 1.0' in lines  # not declared, and in force


class Locked:
    """A store that does not answer."""

    def transaction(self, **how: object) -> object:
        raise Transient(f"locked: {how}")


def test_while_the_store_does_not_answer_nothing_is_said_of_any_ladder() -> None:
    collector = LadderCollector(Locked(), lambda: [LADDER], lambda: "", Stopped())  # type: ignore[arg-type]
    assert [family.name for family in collector.collect()] == ["flyball_ladder_kill_switch"]
    assert {family.name for family in collector.describe()} >= {"flyball_ladder_tier", "flyball_ladder_saved"}
