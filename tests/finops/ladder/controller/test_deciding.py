"""What a ladder decides, one rule at a time."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from controlplane.model.ladder import Approval, ApprovalScope, StepCause
from finops.ladder.controller import decide, failed, initial, moved
from finops.ladder.deciding import Because, ControllerState, Given, Move
from finops.ladder.model import Comparison, Condition, Growth, Mode
from finops.ladder.readings import Quality, Reading, Readings
from tests.finops.ladder.controller.building import (
    CONTRADICTORY,
    DAY,
    HOUR,
    MINUTE,
    START,
    a_brake,
    a_hold,
    a_ladder,
    a_tier,
    an_emergency,
    approval,
    at_tier,
    because,
    condition,
    old,
    readings,
    texts,
    walking,
)

SECOND = timedelta(seconds=1)


# Up


def test_enough_samples_in_a_row_take_it_one_tier_up() -> None:
    walk = walking(a_ladder())

    first, second, third = walk.steps(3, burn=2)

    assert (first.move, second.move) == (None, None)
    assert "burn is 2, tier 1 wants 2 or more: 2 of 3 samples in a row." in texts(second)
    assert third.move == Move(0, 1, StepCause.SIGNALS, "burn is 2, tier 1 wants 2 or more: 3 of 3 samples in a row.")
    assert walk.state.tier == 1


def test_one_sample_below_begins_the_row_again() -> None:
    walk = walking(a_ladder())

    walk.steps(2, burn=2)
    walk.steps(1, burn="1.999")
    walk.steps(2, burn=2)

    assert walk.state.tier == 0


def test_a_sample_counts_once() -> None:
    walk = walking(a_ladder())
    sample = readings(START, burn=9)

    assert [walk.look(sample).move for _ in range(9)] == [None] * 9
    assert walk.state.entering[1] == 1


def test_a_sample_that_was_counted_still_ends_what_no_longer_holds() -> None:
    walk = walking(a_ladder())
    walk.steps(2, burn=9)
    walk.now += 6 * MINUTE

    decision = walk.look(readings(walk.now - 6 * MINUTE, burn=9))

    assert Because.NO_DATA in because(decision)
    assert not walk.state.entering


@pytest.mark.parametrize(("gap", "tier"), [(5, 1), (6, 0)], ids=["neighbours", "too far apart"])
def test_samples_that_lie_far_apart_are_not_in_a_row(gap: int, tier: int) -> None:
    walk = walking(a_ladder(every=MINUTE, stale_after=5 * MINUTE))
    walk.steps(2, burn=9)

    walk.now += (gap - 1) * MINUTE
    walk.steps(1, burn=9)

    assert walk.state.tier == tier


def test_it_goes_up_one_at_a_time_however_high_the_signals_are() -> None:
    walk = walking(a_ladder())

    walk.steps(60, burn=99)

    assert [(move.from_tier, move.to_tier) for _, move in walk.moves] == [(0, 1), (1, 2), (2, 3)]
    assert walk.moves[1][0] - walk.moves[0][0] == 10 * MINUTE  # the dwell of tier 1


def test_who_wants_a_tier_above_wants_the_next_one_first() -> None:
    spiky = a_tier(2, enter=condition({"spike": Decimal(5)}, needs_all=False))
    walk = walking(a_ladder(a_tier(1), spiky))

    decision = walk.steps(3, spike=7)[-1]

    assert decision.move == Move(
        0, 1, StepCause.SIGNALS, "spike is 7, tier 2 wants 5 or more: 3 of 3 samples in a row."
    )


def test_it_is_not_entered_over_a_next_tier_that_nobody_can_judge() -> None:
    spiky = a_tier(2, enter=condition({"spike": Decimal(5)}, needs_all=False))
    walk = walking(a_ladder(a_tier(1), spiky))

    decision = walk.steps(5, spike=7, burn=None)[-1]

    assert decision.move is None
    assert because(decision) == {Because.NO_DATA}


def test_a_tier_is_kept_for_its_dwell_before_the_next() -> None:
    walk = walking(a_ladder(a_tier(1, dwell=10 * MINUTE), a_tier(2)), 1, entered=START)

    walk.steps(9, burn=9)
    assert walk.state.tier == 1
    last = walk.steps(1, burn=9)[-1]

    assert last.move is not None
    assert walk.now == START + 10 * MINUTE


def test_dwell_counts_from_the_last_move_in_either_direction() -> None:
    ladder = a_ladder(a_tier(1, dwell=10 * MINUTE), a_tier(2, dwell=10 * MINUTE))
    state = moved(ladder, at_tier(2, entered=START - DAY), Move(2, 1, StepCause.SIGNALS, ""), START)
    walk = walking(ladder)
    walk.state = state

    assert all(each.move is None for each in walk.steps(9, burn=9))
    assert walk.steps(1, burn=9)[0].move is not None


# What is not known


@pytest.mark.parametrize(
    "bad",
    [
        None,
        CONTRADICTORY,
        old(9, START),
        Reading(Quality.GOOD, None, START),
        Reading(Quality.GOOD, Decimal("NaN"), START + 5 * MINUTE),
        Reading(Quality.GOOD, Decimal("Infinity"), START + 5 * MINUTE),
        Reading(Quality.STALE, Decimal(9), START + 5 * MINUTE),
        Reading(Quality.GOOD, Decimal(9), START - 2 * HOUR),
    ],
    ids=["missing", "contradictory", "old", "no value", "NaN", "infinite", "told to be stale", "hours old"],
)
def test_what_is_not_good_moves_nothing_and_is_told(bad: Reading | None) -> None:
    up = walking(a_ladder())
    down = walking(a_ladder(), 1)

    highs = up.steps(20, burn=9, forecast=bad)
    lows = down.steps(20, burn="0.1", forecast=bad)

    assert {each.move for each in (*highs, *lows)} == {None}
    for each in (*highs, *lows):
        (note,) = each.notes
        assert (note.because, note.is_alert) == (Because.NO_DATA, True)
        assert note.text.startswith("forecast cannot be used, ")


def test_a_reading_that_is_not_there_at_all_is_missing() -> None:
    sample = replace(readings(START, burn=9), signals={"burn": readings(START, burn=9).signals["burn"]})

    decision = decide(a_ladder(), ControllerState(), Given(sample), START)

    assert "forecast cannot be used, there is no reading of it: no step up goes by it." in texts(decision)
    assert not decision.state.entering


def test_all_that_is_dark_is_told_at_once() -> None:
    walk = walking(a_ladder(brakes=(a_brake(1, releases=True),)), 1)

    (note,) = walk.steps(1, burn=None, forecast=CONTRADICTORY, gateway=None)[0].notes

    assert (note.because, note.tier) == (Because.NO_DATA, 1)
    assert note.text == (
        "burn cannot be used, its reading is missing (no sample): "
        "no step up goes by it, and tier 1 (observe) is not left. "
        "forecast cannot be used, its reading is contradictory (two values): "
        "no step up goes by it, and tier 1 (observe) is not left. "
        "The error budget of gateway cannot be told, its reading is missing (no sample): "
        "it could release tier 1 (observe)."
    )


def test_what_no_condition_refers_to_may_be_missing() -> None:
    walk = walking(a_ladder())

    decision = walk.steps(3, burn=2, cost=None, spike=None)[-1]

    assert decision.move is not None
    assert decision.notes == ()


def test_one_bad_sample_begins_the_row_again_in_both_directions() -> None:
    up, down = walking(a_ladder()), walking(a_ladder(), 1)

    for walk, value in ((up, 9), (down, "0.1")):
        walk.steps(2 if walk is up else 9, burn=value)
        walk.steps(1, burn=None)
        walk.steps(2 if walk is up else 9, burn=value)

    assert (up.state.tier, down.state.tier) == (0, 1)


def test_a_signal_may_have_its_own_age() -> None:
    sample = readings(START, burn=Reading(Quality.GOOD, Decimal(9), START - 5 * MINUTE))
    assert decide(a_ladder(), ControllerState(), Given(sample), START).state.entering[1] == 1

    late = decide(a_ladder(), ControllerState(), Given(sample), START + SECOND)
    assert not late.state.entering


def test_a_reading_is_as_old_as_its_sample_when_it_does_not_say() -> None:
    sample = readings(START, burn=Reading(Quality.GOOD, Decimal(9)))

    assert decide(a_ladder(), ControllerState(), Given(sample), START + 5 * MINUTE).state.entering
    assert not decide(a_ladder(), ControllerState(), Given(sample), START + 6 * MINUTE).state.entering


@pytest.mark.parametrize("at", [START + SECOND, START - 2 * MINUTE], ids=["future", "before the last"])
def test_a_sample_from_the_future_or_out_of_order_does_not_count(at: object) -> None:
    state = ControllerState(entering={1: 2}, sampled_at=START - MINUTE)

    decision = decide(a_ladder(), state, Given(readings(at, burn=9)), START)  # type: ignore[arg-type]

    assert decision.move is None
    assert because(decision) == {Because.NO_DATA}
    assert decision.state == ControllerState(sampled_at=START - MINUTE)


def test_up_and_down_at_once_holds_and_is_told() -> None:
    odd = a_tier(2, enter=condition({"spike": Decimal(5)}, needs_all=False))
    walk = walking(a_ladder(a_tier(1), odd), 1)

    decisions = walk.steps(30, burn="0.1", spike=6)

    assert {each.move for each in decisions} == {None}
    assert because(decisions[-1]) == {Because.CONTRADICTION}
    assert "they ask to leave tier 1 (observe) and for tier 2 (throttle) at once" in texts(decisions[-1])
    assert (walk.state.leaving, walk.state.entering) == (0, {})


def test_a_tier_is_not_left_while_what_entered_it_still_holds() -> None:
    careless = a_tier(1, exit=condition({"burn": Decimal("1.2")}, needs_all=True))
    walk = walking(a_ladder(careless), 1)

    decision = walk.steps(30, burn="0.1", forecast="1.3")[-1]

    assert because(decision) == {Because.CONTRADICTION}


# Down


def test_it_goes_down_one_tier_per_cool_down() -> None:
    walk = walking(a_ladder(), 3)

    walk.steps(120)

    assert [(move.from_tier, move.to_tier) for _, move in walk.moves] == [(3, 2), (2, 1), (1, 0)]
    assert walk.moves[1][0] - walk.moves[0][0] == 30 * MINUTE
    assert walk.moves[0][1].reason == ("burn is 1, below 5.2; forecast is 0.5, below 1.2: 10 of 10 samples in a row.")


def test_exit_is_judged_by_what_spend_would_be_without_the_tier() -> None:
    walk = walking(a_ladder(), 1)
    held = [walk.step(readings(walk.now + MINUTE, burn="0.9", per_hour={"burn": "0.5"})) for _ in range(50)]
    assert {each.move for each in held} == {None}

    smaller = {1: Decimal("0.5")}
    for _ in range(10):
        last = walk.step(readings(walk.now + MINUTE, burn="0.9", per_hour={"burn": "0.5"}, savings=smaller))

    assert last.move is not None
    assert "burn would be 1.15 without tier 1 (it is 0.9), below 1.2" in last.move.reason


@pytest.mark.parametrize("rate", ["NaN", "Infinity", "1e999999"])
def test_a_saving_that_cannot_be_told_keeps_the_tier(rate: str) -> None:
    walk = walking(a_ladder(a_tier(1, saving="1e10")), 1)

    for _ in range(20):
        walk.step(readings(walk.now + MINUTE, burn="0.1", per_hour={"burn": rate}))

    assert walk.state.tier == 1


def test_a_tier_that_costs_money_is_not_left_for_that() -> None:
    walk = walking(a_ladder(), 1)

    for _ in range(20):
        walk.step(readings(walk.now + MINUTE, burn="1.3", per_hour={"burn": "1"}, savings={1: Decimal(-9)}))

    assert walk.state.tier == 1


def test_down_needs_no_approval_even_when_it_only_recommends() -> None:
    walk = walking(a_ladder(a_tier(1, needs_approval=True), mode=Mode.RECOMMEND), 1)

    walk.steps(10)

    assert walk.state.tier == 0


def test_the_exact_threshold_enters_and_does_not_leave() -> None:
    up, down = walking(a_ladder()), walking(a_ladder(), 1)

    up.steps(3, burn=2)
    down.steps(50, burn="1.2")

    assert (up.state.tier, down.state.tier) == (1, 1)


# Limits


def test_the_cap_counts_every_move_of_any_day_and_undone_ones_too() -> None:
    walk = walking(a_ladder(changes_per_day=2, retry_after=MINUTE))
    walk.fails = True

    walk.steps(60, burn=9)
    assert len(walk.moves) == 2
    stuck = walk.steps(1, burn=9)[0]
    assert because(stuck) == {Because.CAP}
    assert "Tier 1 (observe) has to wait: 2 changes in 24 h, and 2 are allowed." in texts(stuck)

    walk.now = walk.moves[0][0] + DAY - 4 * MINUTE
    walk.steps(3, burn=9)
    assert len(walk.moves) == 2
    walk.steps(1, burn=9)
    assert len(walk.moves) == 3


def test_it_comes_down_later_when_the_cap_is_hit() -> None:
    walk = walking(a_ladder(changes_per_day=3))
    walk.steps(60, burn=99)
    assert walk.state.tier == 3

    walk.steps(24 * 60 + 120)

    assert walk.state.tier == 0


def test_a_failed_step_is_tried_again_later_and_later() -> None:
    walk = walking(a_ladder(changes_per_day=99))
    walk.fails = True

    walk.steps(1500, burn=9)

    waits = [after - before for (before, _), (after, _) in zip(walk.moves, walk.moves[1:], strict=False)]
    assert waits[:6] == [15 * MINUTE * times for times in (1, 2, 4, 8, 16, 16)]
    last = walk.steps(3, burn=9)[-1]
    assert texts(last).startswith("The last 10 steps to tier 1 (observe) failed: it is not tried again until ")


def test_a_failed_step_is_tried_again_on_fresh_samples_only() -> None:
    ladder = a_ladder()
    state = ControllerState(entering={1: 3}, leaving=2, jumping=1)

    after = failed(ladder, state, Move(0, 1, StepCause.SIGNALS, ""), START)

    assert after == ControllerState(since=START, moves=(START,), failures={1: (1, START)})


def test_a_step_that_succeeds_forgets_the_failures() -> None:
    ladder = a_ladder()
    up = Move(0, 1, StepCause.SIGNALS, "")
    state = failed(ladder, failed(ladder, ControllerState(), up, START), up, START)
    assert state.failures == {1: (2, START)}

    assert moved(ladder, state, up, START).failures == {}


# Brakes


@pytest.mark.parametrize("left", [0, "-0.5", None, old(1, START)], ids=["none", "overspent", "missing", "old"])
def test_a_flow_whose_budget_is_gone_or_unknown_is_not_degraded(left: Reading | float | str | None) -> None:
    walk = walking(a_ladder(brakes=(a_brake(2),)))

    walk.steps(60, burn=99, gateway=left)

    assert walk.state.tier == 1
    decision = walk.steps(1, burn=99, gateway=left)[0]
    (note,) = decision.notes
    assert (note.because, note.is_alert, note.tier) == (Because.BRAKE, True, 2)
    assert note.text.startswith("Tier 2 (throttle) is not entered: ")


def test_a_brake_that_releases_takes_one_tier_back_per_cool_down() -> None:
    walk = walking(a_ladder(brakes=(a_brake(2, releases=True),)), 3)

    walk.steps(90, burn=99, gateway=0)

    assert [(move.to_tier, move.cause) for _, move in walk.moves] == [(2, StepCause.BRAKE), (1, StepCause.BRAKE)]
    assert walk.moves[1][0] - walk.moves[0][0] == 30 * MINUTE
    assert walk.moves[0][1].reason == "gateway has 0 % of its error budget left, no more than 0 %."


def test_a_brake_that_is_not_known_releases_nothing_and_is_told() -> None:
    walk = walking(a_ladder(brakes=(a_brake(2, releases=True),)), 2)

    decision = walk.steps(90, burn=5, gateway=None)[-1]

    assert walk.state.tier == 2
    assert "The error budget of gateway cannot be told, its reading is missing (no sample)" in texts(decision)


# Approvals


def test_a_tier_that_wants_an_approval_asks_for_it_and_waits() -> None:
    walk = walking(a_ladder(a_tier(1, needs_approval=True)))

    decision = walk.steps(3, burn=2)[-1]

    assert decision.move is None
    assert decision.asks == (1,)
    assert texts(decision) == (
        "Tier 1 (observe) needs an approval, the tier wants one: "
        "burn is 2, tier 1 wants 2 or more: 3 of 3 samples in a row."
    )
    walk.approvals.append(approval(1))
    move = walk.steps(1, burn=2)[0].move
    assert move is not None
    assert move.approval == "step-1"
    assert "ann approved it: load test" in move.reason


@pytest.mark.parametrize(
    "useless",
    [
        approval(2),
        approval(1, ApprovalScope.JUMP),
        approval(1, ApprovalScope.EXTEND),
        approval(1, until=START),
        approval(1, at=START + DAY),
        approval(1, used_by="another step"),
        approval(1, withdrawn_at=START),
        approval(1, ladder="another"),
    ],
    ids=["another tier", "jump", "extend", "over", "not yet", "used", "withdrawn", "another ladder"],
)
def test_an_approval_works_for_what_it_says_only(useless: Approval) -> None:
    walk = walking(a_ladder(a_tier(1, needs_approval=True)))
    walk.approvals.append(useless)

    assert walk.steps(9, burn=2)[-1].asks == (1,)


def test_of_two_approvals_the_one_that_ends_first_is_used() -> None:
    walk = walking(a_ladder(a_tier(1, needs_approval=True)))
    walk.approvals += [approval(1, name="long"), approval(1, name="short", until=START + HOUR)]

    move = walk.steps(3, burn=2)[-1].move

    assert move is not None
    assert move.approval == "short"


def test_an_approval_that_nobody_needs_is_not_used() -> None:
    walk = walking(a_ladder())
    walk.approvals.append(approval(1))

    move = walk.steps(3, burn=2)[-1].move

    assert move is not None
    assert move.approval == ""


def test_recommending_asks_for_every_step_up() -> None:
    walk = walking(a_ladder(mode=Mode.RECOMMEND))

    assert walk.steps(3, burn=2)[-1].asks == (1,)


def test_in_shadow_it_decides_as_if_it_acted() -> None:
    walk = walking(a_ladder(mode=Mode.SHADOW))

    assert walk.steps(3, burn=2)[-1].move is not None


@pytest.mark.parametrize("cost", ["1.04", None], ids=["flat", "nobody knows"])
def test_growth_that_may_be_legitimate_is_asked_about(cost: str | None) -> None:
    walk = walking(a_ladder(growth=Growth("cost", Decimal("1.05"))))

    decision = walk.steps(3, burn=2, cost=cost)[-1]

    assert decision.asks == (1,)
    assert Because.GROWTH in because(decision)


def test_spend_that_grows_faster_than_use_needs_no_question() -> None:
    walk = walking(a_ladder(growth=Growth("cost", Decimal("1.05"))))

    assert walk.steps(3, burn=2, cost="1.05")[-1].move is not None


def test_nobody_is_asked_for_what_something_else_keeps_back() -> None:
    walk = walking(a_ladder(a_tier(1, needs_approval=True), brakes=(a_brake(1),)))

    decision = walk.steps(3, burn=2, gateway=0)[-1]

    assert decision.asks == ()
    assert because(decision) == {Because.BRAKE}


# Emergency


def test_an_emergency_jumps_with_an_approval_and_without_dwell() -> None:
    walk = walking(a_ladder(emergency=an_emergency()), 1, entered=START)

    asking = walk.steps(2, spike=12, infra=10)[-1]
    assert (asking.move, asking.asks) == (None, (3,))
    assert "A jump to tier 3 (shed) needs an approval of scope jump." in texts(asking)
    walk.approvals.append(approval(3, ApprovalScope.JUMP))
    jump = walk.steps(1, spike=12, infra=10)[0].move

    assert jump is not None
    assert (jump.from_tier, jump.to_tier, jump.cause, jump.approval) == (1, 3, StepCause.EMERGENCY, "jump-3")
    assert set(walk.state.entered) == {1, 2, 3}


def test_a_step_approval_is_none_for_a_jump() -> None:
    walk = walking(a_ladder(emergency=an_emergency()))
    walk.approvals.append(approval(3, ApprovalScope.STEP))

    assert walk.steps(9, spike=12, infra=10)[-1].move is None


@pytest.mark.parametrize("infra", [9, None], ids=["one only", "one, and one that nobody knows"])
def test_one_signal_is_no_emergency(infra: int | None) -> None:
    walk = walking(a_ladder(emergency=an_emergency()))
    walk.approvals.append(approval(3, ApprovalScope.JUMP))

    walk.steps(9, spike=99, infra=infra)

    assert walk.state.tier == 0


def test_an_emergency_of_which_a_third_signal_is_dark_is_none() -> None:
    emergency = an_emergency()
    three = replace(emergency, comparisons=(*emergency.comparisons, Comparison("cost", Decimal(10))))
    walk = walking(a_ladder(emergency=three))
    walk.approvals.append(approval(3, ApprovalScope.JUMP))

    decision = walk.steps(9, spike=99, infra=99, cost=None)[-1]

    assert walk.state.tier == 0
    assert "cost cannot be used, its reading is missing (no sample): there is no emergency jump." in texts(decision)


def test_two_signals_of_one_group_are_no_emergency() -> None:
    llm = replace(an_emergency(), comparisons=(Comparison("spike", Decimal(10)), Comparison("burn", Decimal(1))))
    walk = walking(a_ladder(emergency=llm))
    walk.approvals.append(approval(3, ApprovalScope.JUMP))

    walk.steps(9, spike=99, burn="1.5")

    assert walk.state.tier == 0


def test_brakes_cap_and_failures_hold_a_jump_back() -> None:
    approved = [approval(3, ApprovalScope.JUMP)]
    braked = walking(a_ladder(emergency=an_emergency(), brakes=(a_brake(3),)))
    capped = walking(a_ladder(emergency=an_emergency(), changes_per_day=1))
    capped.state = replace(capped.state, moves=(START,))
    undone = walking(a_ladder(emergency=an_emergency()))
    undone.state = failed(undone.ladder, undone.state, Move(0, 3, StepCause.EMERGENCY, ""), START)
    for walk, gateway in ((braked, 0), (capped, 1), (undone, 1)):
        walk.approvals = list(approved)
        walk.steps(9, spike=12, infra=12, gateway=gateway)

    assert [walk.moves for walk in (braked, capped, undone)] == [[], [], []]


# Expiry


def test_a_tier_that_nobody_extends_is_left_and_locked() -> None:
    walk = walking(a_ladder(a_tier(1, expires_after=2 * HOUR), a_tier(2)), 1, entered=START)

    early = walk.steps(59, burn=3)[-1]
    assert [(note.because, note.is_alert) for note in early.notes] == [(Because.EXPIRES, False)]
    late = walk.steps(1, burn=3)[-1]
    assert [(note.because, note.is_alert) for note in late.notes] == [(Because.EXPIRES, True)]
    assert texts(late) == "Tier 1 (observe) expires at 2026-11-02 14:00 UTC, in 1 h, unless it is extended."
    walk.steps(60, burn=3)

    ((when, move),) = walk.moves
    assert (when, move.to_tier, move.cause) == (START + 2 * HOUR, 0, StepCause.EXPIRY)
    assert walk.state.locked == {1}
    locked = walk.steps(3, burn=3)[-1]
    assert (locked.asks, because(locked)) == ((1,), {Because.LOCKED})
    walk.approvals.append(approval(1))
    assert walk.steps(1, burn=3)[-1].move is not None
    assert walk.state.locked == frozenset()


@pytest.mark.parametrize("tier", [1, 2], ids=["this tier", "one above"])
def test_an_extended_tier_stays_until_the_approval_ends(tier: int) -> None:
    walk = walking(a_ladder(a_tier(1, expires_after=HOUR), a_tier(2)), 1, entered=START)
    walk.approvals.append(approval(tier, ApprovalScope.EXTEND, until=START + 3 * HOUR))

    walk.steps(179, burn=3)
    assert walk.moves == []
    walk.steps(1, burn=3)

    assert [move.cause for _, move in walk.moves] == [StepCause.EXPIRY]


@pytest.mark.parametrize(
    "useless",
    [
        approval(1, ApprovalScope.EXTEND),
        approval(2, ApprovalScope.STEP),
        approval(2, ApprovalScope.EXTEND, ladder="another"),
        approval(2, ApprovalScope.EXTEND, until=START + HOUR),
        approval(2, ApprovalScope.EXTEND, withdrawn_at=START),
    ],
    ids=["one below", "step", "another ladder", "over", "withdrawn"],
)
def test_a_tier_is_extended_by_what_is_said_of_it_only(useless: Approval) -> None:
    walk = walking(a_ladder(a_tier(1), a_tier(2, expires_after=HOUR)), 2, entered=START)
    walk.approvals.append(useless)

    walk.steps(60, burn=4)

    assert [move.cause for _, move in walk.moves] == [StepCause.EXPIRY]


def test_an_expired_tier_below_takes_those_above_with_it_and_only_itself_is_locked() -> None:
    ladder = a_ladder(a_tier(1, expires_after=2 * HOUR), a_tier(2, expires_after=DAY))
    walk = walking(ladder, 2, entered=START)

    walk.steps(160, burn=5)

    assert [(move.to_tier, move.cause) for _, move in walk.moves] == [(1, StepCause.EXPIRY), (0, StepCause.EXPIRY)]
    assert walk.state.locked == {1}


def test_nothing_goes_up_while_a_tier_has_expired() -> None:
    walk = walking(a_ladder(a_tier(1, expires_after=HOUR), a_tier(2), cool_down=3 * HOUR), 1, entered=START)
    walk.state = replace(walk.state, since=START + HOUR)
    walk.now = START + HOUR

    assert {each.move for each in walk.steps(90, burn=9)} == {None}


# What stops it altogether


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"is_killed": True}, Because.KILLED),
        ({"hold": a_hold()}, Because.HELD),
        ({"theirs": ("flag-1",)}, Because.THEIRS),
        ({"is_stepping": True}, Because.STEPPING),
    ],
    ids=["killed", "held", "theirs", "stepping"],
)
def test_people_stop_it_and_afterwards_only_fresh_samples_count(given: dict[str, object], reason: Because) -> None:
    walk = walking(a_ladder())
    walk.steps(2, burn=9)
    for _ in range(5):
        decision = walk.step(readings(walk.now + MINUTE, burn=9), **given)
        assert decision.move is None
        assert because(decision) == {reason}
    seen = readings(walk.now, burn=9)

    assert walk.look(seen).move is None
    assert not walk.state.entering
    assert [each.move is not None for each in walk.steps(3, burn=9)] == [False, False, True]


def test_a_hold_that_is_over_holds_nothing() -> None:
    walk = walking(a_ladder())
    for _ in range(4):
        walk.step(readings(walk.now + MINUTE, burn=9), hold=a_hold(START + MINUTE))

    assert walk.state.tier == 1
    assert walk.moves[0][0] == START + 3 * MINUTE


def test_every_reason_is_told_when_several_stop_it() -> None:
    decision = walking(a_ladder()).step(hold=a_hold(START + HOUR), is_killed=True)

    assert because(decision) == {Because.KILLED, Because.HELD}
    assert "bob holds the ladder until 2026-11-02 13:00 UTC: a launch." in texts(decision)


def test_a_tier_that_is_declared_no_more_is_left_by_people() -> None:
    walk = walking(a_ladder(a_tier(1)), 3)

    decisions = walk.steps(100)

    assert {each.move for each in decisions} == {None}
    (note,) = decisions[-1].notes
    assert (note.because, note.is_alert, note.tier) == (Because.UNKNOWN_TIER, True, 3)


# Clocks


def test_a_clock_that_goes_back_moves_nothing_until_time_has_caught_up() -> None:
    walk = walking(a_ladder())
    walk.steps(2, burn=9)
    walk.now -= HOUR

    back = walk.steps(30, burn=9)
    assert {each.move for each in back} == {None}
    assert because(back[-1]) >= {Because.CLOCK}
    walk.now = START + 3 * MINUTE
    walk.steps(3, burn=9)

    assert walk.state.tier == 1


def test_what_was_remembered_of_a_wrong_clock_counts_from_now() -> None:
    year = 365 * DAY
    wrong = at_tier(1, entered=START + year, moves=(START + year,), sampled_at=START + year)
    walk = walking(a_ladder())
    walk.state = wrong

    first = walk.steps(1)[0]
    assert because(first) >= {Because.CLOCK}
    assert walk.state == at_tier(1, entered=walk.now, moves=(walk.now,), sampled_at=walk.now)
    walk.steps(60)

    assert walk.state.tier == 0


# Beginnings and ends


def test_nothing_is_remembered_at_first() -> None:
    assert initial(a_ladder(), START) == ControllerState()


def test_a_move_by_a_person_counts_as_any_other() -> None:
    ladder = a_ladder()

    state = moved(ladder, ControllerState(entering={1: 2}), Move(0, 3, StepCause.PERSON, ""), START)

    assert state == at_tier(3, moves=(START,))


def test_moves_of_more_than_a_day_ago_are_forgotten() -> None:
    ladder = a_ladder()
    state = at_tier(1, moves=(START - DAY, START - DAY + SECOND))

    assert moved(ladder, state, Move(1, 2, StepCause.SIGNALS, ""), START).moves == (START - DAY + SECOND, START)


def test_a_condition_without_any_comparison_never_enters_on_any() -> None:
    walk = walking(a_ladder(a_tier(1, enter=Condition((), needs_all=False))))

    walk.steps(20, burn=99)

    assert walk.state.tier == 0


def test_an_empty_sample_is_told_and_moves_nothing() -> None:
    decision = decide(a_ladder(), at_tier(2), Given(Readings(START + DAY, {})), START + DAY)

    assert decision.move is None
    assert because(decision) == {Because.NO_DATA}


def test_an_emergency_keeps_the_tier_although_its_own_signals_are_calm() -> None:
    walk = walking(a_ladder(emergency=an_emergency()), 1)

    decision = walk.steps(30, spike=12, infra=12)[-1]

    assert because(decision) == {Because.CONTRADICTION, Because.NEEDS_APPROVAL}
    assert walk.moves == []


def test_the_tier_of_an_emergency_is_kept_while_it_lasts() -> None:
    walk = walking(a_ladder(emergency=an_emergency()), 3)

    kept = walk.steps(60, spike=12, infra=12)[-1]
    walk.steps(60, spike=1, infra=1)

    assert because(kept) == {Because.CONTRADICTION}
    assert kept.asks == ()
    assert walk.state.jumping == 0
    assert [move.to_tier for _, move in walk.moves][:1] == [2]
