"""The store of downshift ladders, on both databases."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from controlplane.ladder_ports import LadderLog
from controlplane.model.ladder import (
    AppliedTier,
    Approval,
    ApprovalScope,
    FlagChange,
    LadderHold,
    LadderOrder,
    LadderState,
    OrderKind,
    SavingsReceipt,
    StepCause,
    StepOutcome,
    StepPhase,
    StepRecord,
)
from controlplane.ports import Permanent
from controlplane.store import SqlStore
from tests.contracts.storing import MINUTE, NOW

DAY = timedelta(days=1)
CHANGES = (
    FlagChange(1, "adaptive-sampling", False, True, True),
    FlagChange(1, "depth", None, 2),
    FlagChange(2, "mode", "vollständig ✓", "cache-only", True),
)


@contextmanager
def ladders(store: SqlStore) -> Iterator[LadderLog]:
    with store.transaction() as transaction:
        yield transaction.ladders


def a_step(**changes: Any) -> StepRecord:
    step = StepRecord(
        "s1", "shop", "platform", 0, 1, StepCause.SIGNALS, "llm-burn is 2.4, at 2 or more", "ladder", NOW,
        StepPhase.INTENT, CHANGES, ("core-flow-api",), "a1", "o1",
    )  # fmt: skip
    return replace(step, **changes)


def ended(**changes: Any) -> StepRecord:
    about = {"phase": StepPhase.ENDED, "ended_at": NOW, "outcome": StepOutcome.COMMITTED}
    return a_step(**about | changes)


def an_approval(**changes: Any) -> Approval:
    return replace(Approval("a1", "shop", 5, ApprovalScope.STEP, "ann", "why", NOW, NOW + DAY), **changes)


def an_order(**changes: Any) -> LadderOrder:
    return replace(LadderOrder("o1", "shop", OrderKind.STEP, 3, "ann", "why", NOW), **changes)


def a_receipt(**changes: Any) -> SavingsReceipt:
    return replace(SavingsReceipt("s1", "shop", 1, "USD", Decimal("1.20"), NOW), **changes)


def test_where_a_ladder_stands_comes_back_as_it_was_put_last(store: SqlStore) -> None:
    start = LadderState("shop", (), {}, NOW)
    applied = AppliedTier(1, NOW, "s1", CHANGES), AppliedTier(2, NOW + MINUTE, "s2", ())
    moved = LadderState(
        "shop", applied, {"last": {"notes": [], "value": "2.40"}, "n": 3}, NOW, "platform",
        {"depth": 2, "on": True, "mode": "x"}, {"held": None},
    )  # fmt: skip
    shadow = replace(start, ladder="shop/shadow", theirs={}, told={})
    with ladders(store) as log:
        assert log.state("shop") is None
        for state in (start, moved, shadow):
            log.put_state(state)
            assert log.state(state.ladder) == state
        assert log.states() == [moved, shadow]
        found = log.state("shop")
    assert found is not None
    assert found.tier == 2
    assert found.theirs is not None
    assert found.theirs["on"] is True


def test_a_step_comes_back_in_every_phase_and_never_changes_once_it_has_ended(store: SqlStore) -> None:
    phases = [a_step(phase=phase, attempts=number) for number, phase in enumerate(list(StepPhase)[:-1])]
    over = a_step(
        phase=StepPhase.ENDED, written_at=NOW, visible_at=NOW, verified_at=NOW, ended_at=NOW + MINUTE,
        outcome=StepOutcome.YIELDED, undo_as=StepOutcome.YIELDED, detail="depth was changed", changes=(), journeys=(),
    )  # fmt: skip
    with ladders(store) as log:
        for step in [*phases, over]:
            log.put_step(step)
            assert log.step("s1") == step
            assert log.open_step("shop") == (None if step is over else step)
        log.put_step(over)
        for changed in (replace(over, detail="nothing"), replace(over, phase=StepPhase.UNDOING)):
            with pytest.raises(Permanent, match="has ended"):
                log.put_step(changed)
        assert log.step("s1") == over
        assert log.step("s2") is None


def test_a_ladder_takes_one_step_at_a_time(store: SqlStore) -> None:
    with ladders(store) as log:
        log.put_step(a_step())
        log.put_step(a_step(id="other", ladder="api"))
        with pytest.raises(Permanent, match="step s1, which has not ended"):
            log.put_step(a_step(id="s2"))
        log.put_step(ended(id="s0"))
        log.put_step(ended())
        log.put_step(a_step(id="s2"))
        assert [step.id for step in log.steps("shop")] == ["s2", "s0", "s1"]
    reopen = text("UPDATE ladder_steps SET phase = 'writing' WHERE id = 's0'")  # the database itself refuses
    with pytest.raises(Permanent, match=r"(?i)unique"), store.transaction() as transaction:
        transaction.ladders._connection.execute(reopen)


def test_steps_are_listed_newest_first_from_a_time_on(store: SqlStore) -> None:
    with ladders(store) as log:
        for minute, name in ((2, "c"), (0, "a"), (1, "b"), (1, "b2")):
            log.put_step(ended(id=name, decided_at=NOW + minute * MINUTE))
        assert [step.id for step in log.steps("shop")] == ["c", "b2", "b", "a"]
        assert [step.id for step in log.steps("shop", NOW + MINUTE)] == ["c", "b2", "b"]
        assert [step.id for step in log.steps("shop", limit=1)] == ["c"]
        assert log.steps("api") == []


def test_an_approval_that_was_used_or_withdrawn_is_not_given_back(store: SqlStore) -> None:
    jump = an_approval(id="a0", scope=ApprovalScope.JUMP, until=NOW + MINUTE)
    used, withdrawn = an_approval(used_by="s1"), replace(jump, withdrawn_at=NOW)
    with ladders(store) as log:
        for approval in (an_approval(), jump, an_approval(id="a2", ladder="api", scope=ApprovalScope.EXTEND)):
            log.put_approval(approval)
        assert log.approvals("shop") == [an_approval(), jump]
        assert log.approvals("shop", NOW + MINUTE) == [an_approval()]
        log.put_approval(used)
        log.put_approval(withdrawn)
        log.put_approval(replace(used, withdrawn_at=NOW))
        for gone in (an_approval(), replace(used, used_by="s2"), jump):
            with pytest.raises(Permanent, match="approval a"):
                log.put_approval(gone)
        assert log.approval("a0") == withdrawn
        assert log.approval("none") is None


def test_a_hold_stands_until_it_is_replaced_or_lifted(store: SqlStore) -> None:
    for_ever = LadderHold("shop", "ann", "release day", NOW, None)
    for_a_day = LadderHold("shop", "bob", "freeze", NOW, NOW + DAY)
    with ladders(store) as log:
        assert log.hold("shop") is None
        for hold in (for_ever, for_a_day):
            log.put_hold(hold)
            assert log.hold("shop") == hold
        assert log.hold("api") is None
        assert [log.lift_hold("shop"), log.lift_hold("shop")] == [True, False]
        assert log.hold("shop") is None


def test_orders_wait_in_their_order_until_they_are_done_and_stay_done(store: SqlStore) -> None:
    begun = an_order(kind=OrderKind.DRILL, begun_at=NOW, progress={"at": 2, "up": True})
    done = replace(begun, done_at=NOW, is_done_well=False, result="journey core-flow-api failed")
    take_back = an_order(id="o0", kind=OrderKind.TAKE_BACK, argument=None)
    with ladders(store) as log:
        for order in (an_order(), take_back, an_order(id="o2", ladder="api"), begun):
            log.put_order(order)
            assert log.order(order.id) == order
        assert log.open_orders("shop") == [begun, take_back]
        log.put_order(done)
        log.put_order(done)
        with pytest.raises(Permanent, match="journey core-flow-api failed"):
            log.put_order(begun)
        assert log.open_orders("shop") == [take_back]
        assert log.order("none") is None


def test_receipts_are_exact_and_there_is_one_for_each_step_and_tier(store: SqlStore) -> None:
    full = a_receipt(
        tier=2, until=NOW + MINUTE, realised=Decimal("0.10000000000000000000000000001"), low=Decimal("-1E-7"),
        high=Decimal("1E+3"), saved=Decimal(0), measured_at=NOW, note="few samples",
    )  # fmt: skip
    with ladders(store) as log:
        for receipt in (a_receipt(), full, a_receipt(step="s9", ladder="api")):
            log.put_receipt(receipt)
        assert log.receipts("shop") == [a_receipt(), full]
        assert log.receipts("shop", NOW + MINUTE) == [a_receipt()]
        log.put_receipt(a_receipt(note="later"))
        assert [each.note for each in log.receipts("shop")] == ["later", "few samples"]
        with pytest.raises(ValueError, match="no amount"):
            log.put_receipt(a_receipt(saved=Decimal("NaN")))


def test_what_was_over_long_ago_is_forgotten_and_what_is_open_or_in_force_is_kept(store: SqlStore) -> None:
    old = NOW - 2 * DAY
    with ladders(store) as log:
        log.put_state(LadderState("shop", (AppliedTier(1, old, "in force", ()),), {}, NOW))
        for name in ("old", "in force"):
            log.put_step(ended(id=name, ended_at=old))
        log.put_step(ended(id="recent"))
        log.put_step(a_step(id="open", decided_at=old))
        log.put_order(an_order(id="old", done_at=old))
        log.put_order(an_order(id="open", at=old))
        log.put_receipt(a_receipt(step="old", until=old))
        log.put_receipt(a_receipt(step="in force", since=old))
        log.put_approval(an_approval(id="old", until=old))
        log.put_approval(an_approval(id="withdrawn", withdrawn_at=old))
        log.put_approval(an_approval(id="valid"))
        assert log.purge(NOW - DAY) == 5
        assert {step.id for step in log.steps("shop")} == {"in force", "recent", "open"}
        assert [order.id for order in log.open_orders("shop")] == ["open"]
        assert [receipt.step for receipt in log.receipts("shop")] == ["in force"]
        assert [approval.id for approval in log.approvals("shop")] == ["valid"]
        assert log.purge(NOW - DAY) == 0


TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)
TIMES = st.datetimes(timezones=st.just(UTC))
VALUES = st.booleans() | st.integers(-(2**60), 2**60) | TEXTS
FLAGS = st.builds(FlagChange, st.integers(1, 9), TEXTS, st.none() | VALUES, VALUES, st.booleans())
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12)
STATES = st.builds(
    LadderState, TEXTS, st.lists(st.builds(AppliedTier, st.integers(1, 9), TIMES, TEXTS, st.tuples(FLAGS))).map(tuple),
    st.dictionaries(TEXTS, st.none() | VALUES), TIMES, TEXTS, st.none() | st.dictionaries(TEXTS, VALUES),
)  # fmt: skip
STEPS = st.builds(
    StepRecord, st.just("s"), TEXTS, TEXTS, st.integers(0, 9), st.integers(0, 9), st.sampled_from(StepCause), TEXTS,
    TEXTS, TIMES, st.sampled_from(StepPhase), st.tuples(FLAGS, FLAGS), st.tuples(TEXTS), ended_at=st.none() | TIMES,
    outcome=st.none() | st.sampled_from(StepOutcome), undo_as=st.sampled_from(StepOutcome),
)  # fmt: skip
RECEIPTS = st.builds(
    SavingsReceipt, st.just("s"), TEXTS, st.integers(1, 9), TEXTS, AMOUNTS, TIMES, st.none() | TIMES,
    st.none() | AMOUNTS, st.none() | AMOUNTS, st.none() | AMOUNTS, st.none() | AMOUNTS, remaining=st.none() | AMOUNTS,
)  # fmt: skip


class _LeaveNothing(Exception):
    """The next example finds an empty database."""


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STATES, STEPS, RECEIPTS)
def test_whatever_is_put_comes_back_exactly(
    store: SqlStore, state: LadderState, step: StepRecord, receipt: SavingsReceipt
) -> None:
    with suppress(_LeaveNothing), ladders(store) as log:
        log.put_state(state)
        log.put_step(step)
        log.put_receipt(receipt)
        found = log.state(state.ladder), log.step("s"), log.receipts(receipt.ladder)
        assert found == (state, step, [receipt])
        assert found[0] is not None
        assert found[1] is not None
        assert kinds(found[1].changes) == kinds(step.changes)
        assert [kinds(each.changes) for each in found[0].applied] == [kinds(each.changes) for each in state.applied]
        raise _LeaveNothing


def kinds(changes: Sequence[FlagChange]) -> list[tuple[type, type]]:
    """True and 1 are equal, and not the same value of a flag."""
    return [(type(each.before), type(each.after)) for each in changes]
