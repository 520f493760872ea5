"""Histories of which one can tell by hand what a ladder does, and what that comes to."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.model.ladder import StepCause
from finops.ladder.deciding import Because
from finops.ladder.model import Brake, Comparison, Emergency, Ladder, Limits, Measure
from finops.ladder.readings import Quality, Reading
from finops.ladder.simulation.model import Moved, Options, Simulation
from finops.ladder.simulation.running import drawn, simulate
from tests.finops.ladder.simulation.examples import HERE, MINUTE, START, history, ladder, reading, signal, tier

NO_TIME = Options(visible_in=timedelta(0), journey_takes=timedelta(0))
QUICK = Limits(100, timedelta(0), MINUTE)


def minutes(moves: tuple[Moved, ...]) -> list[tuple[int, int, int]]:
    """When each was decided, in minutes, from where, to where."""
    return [(round((move.at - START) / MINUTE), move.from_tier, move.to_tier) for move in moves]


def run(values: list[str | None], of: Ladder | None = None, options: Options = NO_TIME, **about: str) -> Simulation:
    return simulate(of or ladder(), history(values, **about), options)  # type: ignore[arg-type]


def test_a_ladder_steps_up_after_its_samples_and_down_after_its_cool_down() -> None:
    # 3 samples at 2 or more: minutes 30, 31, 32. From minute 90 on it is calm; 5 samples: 90 … 94. Cool-down is over.
    found = run(["1"] * 30 + ["3"] * 60 + ["1"] * 60)
    assert minutes(found.moves) == [(32, 0, 1), (94, 1, 0)]
    assert [move.cause for move in found.moves] == [StepCause.SIGNALS] * 2
    assert "3 of 3 samples" in found.moves[0].reason


def test_money_saved_is_that_of_the_time_between_the_ends_of_steps() -> None:
    found = run(["1"] * 30 + ["3"] * 60 + ["1"] * 60)
    # Both steps take the 10 seconds that the ladder settles: in force from 32:10 to 94:10, at 10 an hour.
    assert found.totals.degraded_minutes == 62
    assert found.totals.saved == Decimal(620) / 60
    assert [(each.tier, each.since, each.until) for each in found.stretches] == [
        (0, START, START + 32 * MINUTE + timedelta(seconds=10)),
        (1, START + 32 * MINUTE + timedelta(seconds=10), START + 94 * MINUTE + timedelta(seconds=10)),
        (0, START + 94 * MINUTE + timedelta(seconds=10), START + 150 * MINUTE),
    ]


def test_no_tier_saves_more_than_is_spent() -> None:
    found = run(["1"] * 30 + ["3"] * 60 + ["1"] * 60, spend="4")
    assert found.totals.saved == Decimal(4 * 62) / 60
    assert found.totals.spent == Decimal(4 * 150) / 60


def test_what_a_tier_saves_shrinks_with_the_spend_that_is_left() -> None:
    """It comes at a spend of 40 and saves 10: a quarter. Of the 8 of the calm hours it saves 2."""
    plain = history(["1"] * 30 + ["3"] * 60 + ["1"] * 20)
    spends = [Decimal(40 if 30 <= place < 90 else 8) for place in range(110)]
    points = [replace(each, spend_per_hour=spend) for each, spend in zip(plain.points, spends, strict=True)]
    found = simulate(ladder(), replace(plain, points=points), NO_TIME)
    assert minutes(found.moves) == [(32, 0, 1), (94, 1, 0)]
    high, calm = 90 - 32 - Decimal(10) / 60, 4 + Decimal(10) / 60
    assert found.totals.saved == pytest.approx((10 * high + 2 * calm) / 60)


def test_a_ladder_is_left_when_the_crisis_is_over_although_its_tier_saved_more_than_calm_allows() -> None:
    burning = signal("burn", Measure.BURN_RATE, timedelta(minutes=5))
    of = ladder(tier(1, "2", "1.9", saving="30"), signals=[burning])
    plain = history(["1"] * 30 + ["8"] * 90 + ["1"] * 120, per_hour="0.125")
    spends = [Decimal(64 if 30 <= place < 120 else 8) for place in range(240)]
    points = [replace(each, spend_per_hour=spend) for each, spend in zip(plain.points, spends, strict=True)]
    found = simulate(of, replace(plain, points=points), NO_TIME)
    assert [(move.from_tier, move.to_tier) for move in found.moves] == [(0, 1), (1, 0)]
    assert minutes(found.moves)[1][0] <= 120 + 60 + 10
    assert simulate(of, replace(plain, points=points), NO_TIME, asks_always=True).moves == found.moves


def test_steps_take_the_time_that_visibility_settling_and_journeys_take() -> None:
    walked = replace(tier(1, "2", "1.2"), journeys=("core", "write"))
    options = Options(visible_in=timedelta(seconds=5), journey_takes=timedelta(seconds=30))
    (up, _) = run(["1"] * 30 + ["3"] * 60 + ["1"] * 60, ladder(walked), options).moves
    assert up.until is not None
    assert up.until - up.at == timedelta(seconds=5 + 10 + 2 * 30)


def test_user_minutes_are_minutes_times_users_times_the_weight_of_the_tier() -> None:
    options = replace(NO_TIME, weights={1: Decimal("0.5")})
    # In force from 2:10 on, after three samples and settling: 57 minutes and 50 seconds.
    assert run(["3"] * 60, options=NO_TIME, users="100").totals.degraded_user_minutes == Decimal(3470 * 100) / 60
    assert run(["3"] * 60, options=options, users="100").totals.degraded_user_minutes == Decimal(3470 * 50) / 60
    plain = run(["3"] * 60)
    assert plain.totals.degraded_user_minutes == Decimal(3470) / 60
    assert not plain.has_users


def test_each_tier_is_counted_by_itself() -> None:
    found = run(["5"] * 40)
    assert minutes(found.moves) == [(2, 0, 1), (13, 1, 2)]  # 10 minutes of dwell, from when tier 1 stood (2:10)
    first, second = found.tiers
    assert (first.entered, second.entered) == (1, 1)
    assert first.time + second.time == 38 * MINUTE - timedelta(seconds=10)
    assert second.saved == Decimal(10) * Decimal(second.time.total_seconds()) / 3600
    assert first.saved == Decimal(10) * Decimal((first.time + second.time).total_seconds()) / 3600


def test_a_windowed_signal_falls_as_its_window_fills_with_the_saving() -> None:
    burning = signal("burn", Measure.BURN_RATE, timedelta(minutes=30))
    of = ladder(tier(1, "2", "1"), tier(2, "2.4", "1"), signals=[burning])
    found = simulate(of, history(["2.5"] * 60, per_hour="0.1"), NO_TIME)
    # Tier 1 saves 10 an hour: the signal falls by 1 within half an hour, not at once. After the dwell of ten minutes it
    # is still 2.5 − 1/3, below 2.4: tier 2 is not entered.
    assert minutes(found.moves) == [(2, 0, 1)]
    slow = simulate(replace(of, signals=(signal("burn", Measure.BURN_RATE, timedelta(hours=24)),)),
                    history(["2.5"] * 60, per_hour="0.1"), NO_TIME)  # fmt: skip
    assert minutes(slow.moves) == [(2, 0, 1), (13, 1, 2)]


def test_exit_is_judged_on_what_the_signal_would_be_without_the_tier() -> None:
    burning = signal("burn", Measure.BURN_RATE, timedelta(minutes=5))
    of = ladder(tier(1, "2", "1.9"), signals=[burning])
    # With the tier the signal is at 1, without it at 2: it is never left.
    found = simulate(of, history(["2"] * 300, per_hour="0.1"), NO_TIME)
    assert minutes(found.moves) == [(2, 0, 1)]


def test_missing_data_moves_nothing_and_is_counted() -> None:
    found = run(["1"] * 30 + [None] * 20 + ["3"] * 30)
    assert minutes(found.moves) == [(52, 0, 1)]
    assert found.totals.minutes_without_data == 20
    (held,) = found.held
    assert (held.because, held.since, held.until) == (Because.NO_DATA, START + 30 * MINUTE, START + 50 * MINUTE)
    assert found.totals.held_minutes == 0


def test_without_approvals_a_tier_that_needs_one_is_not_entered_and_the_wait_is_counted() -> None:
    asking = ladder(replace(tier(1, "2", "1.2"), needs_approval=True))
    refused = run(["1"] * 10 + ["3"] * 20 + ["1"] * 10, asking, replace(NO_TIME, approval_after=None))
    assert refused.moves == ()
    (held,) = refused.held
    assert (held.because, held.tier) == (Because.NEEDS_APPROVAL, 1)
    assert refused.totals.held_minutes == 18  # from the third sample on
    at_once = run(["1"] * 10 + ["3"] * 20 + ["1"] * 10, asking)
    assert (minutes(at_once.moves), at_once.moves[0].approved) == ([(12, 0, 1)], True)
    late = run(["1"] * 10 + ["3"] * 20 + ["1"] * 10, asking, replace(NO_TIME, approval_after=7 * MINUTE))
    assert minutes(late.moves) == [(19, 0, 1)]
    assert late.totals.held_minutes == 7


def test_a_brake_holds_the_ladder_while_the_error_budget_is_gone() -> None:
    braked = ladder(brakes=(Brake("gateway", Decimal(0), 1, False, HERE),))
    gone = lambda place: {"gateway": reading("0" if place < 25 else "0.5")}  # noqa: E731
    found = simulate(braked, history(["3"] * 40, brakes=gone), NO_TIME)
    assert minutes(found.moves) == [(25, 0, 1)]
    assert [(each.because, each.tier) for each in found.held] == [(Because.BRAKE, 1)]
    assert found.totals.held_minutes == 23


def test_a_brake_that_releases_is_a_move_and_no_hold() -> None:
    braked = ladder(brakes=(Brake("gateway", Decimal(0), 1, True, HERE),))
    going = lambda place: {"gateway": reading("0.5" if place < 60 else "0")}  # noqa: E731
    found = simulate(braked, history(["3"] * 62, brakes=going), NO_TIME)
    assert [(move.cause, move.to_tier) for move in found.moves] == [(StepCause.SIGNALS, 1), (StepCause.BRAKE, 0)]


def test_an_emergency_jumps_over_tiers_with_an_assumed_approval() -> None:
    signals = [signal("burn"), signal("other")]
    urgent = Emergency(2, (Comparison("burn", Decimal(9)), Comparison("other", Decimal(9))), 2)
    jumping = ladder(signals=signals, emergency=urgent)
    found = simulate(jumping, history({"burn": ["1", "9", "9", "9"], "other": ["1", "9", "9", "9"]}), NO_TIME)
    assert [(move.from_tier, move.to_tier, move.cause) for move in found.moves] == [(0, 2, StepCause.EMERGENCY)]
    assert [tier.entered for tier in found.tiers] == [1, 1]


def test_steps_that_fail_are_undone_count_as_moves_and_save_nothing() -> None:
    always = replace(NO_TIME, journey_failures=Decimal(1))
    found = run(["3"] * 60, options=always)
    assert [move.undone for move in found.moves] == [True, True, True]  # tried again after 15, then 30 minutes
    assert minutes(found.moves)[:2] == [(2, 0, 1), (18, 0, 1)]
    assert (found.totals.moves, found.totals.undone, found.totals.max_tier) == (3, 3, 0)
    assert found.totals.saved == 0
    assert found.flaps == ()


def test_which_steps_fail_follows_from_the_seed_alone() -> None:
    half = [drawn(7, number) < Decimal("0.5") for number in range(1000)]
    assert half == [drawn(7, number) < Decimal("0.5") for number in range(1000)]
    assert half != [drawn(8, number) < Decimal("0.5") for number in range(1000)]
    assert 430 < sum(half) < 570


def test_a_step_that_has_not_ended_when_the_history_does_is_told() -> None:
    (move,) = run(["3"] * 3, options=Options(visible_in=timedelta(minutes=9))).moves
    assert move.until is None


def test_a_coarse_history_is_sampled_as_often_as_the_ladder_samples() -> None:
    coarse = history(["1"] * 4 + ["3"] * 8, step=5 * MINUTE)
    found = simulate(ladder(), coarse, NO_TIME)
    assert minutes(found.moves) == [(22, 0, 1)]


def test_a_reading_with_a_time_of_its_own_is_as_stale_as_in_life() -> None:
    made = history(["3"] * 10)
    aged = [
        replace(point, readings=replace(point.readings, signals={
            "burn": Reading(Quality.GOOD, Decimal(3), START - timedelta(minutes=4)),
        }))
        for point in made.points
    ]  # fmt: skip
    found = simulate(ladder(), replace(made, points=aged), NO_TIME)
    assert found.moves == ()  # five minutes are allowed: good at minutes 0 and 1 only


values = st.sampled_from(["0.5", "1.5", "3", "4.5", None])
histories = st.lists(st.tuples(values, st.integers(1, 25)), min_size=1, max_size=8)


@settings(max_examples=10, deadline=None)
@given(histories, st.sampled_from([None, "0.05"]), st.booleans(), st.sampled_from(["0", "0.4"]), st.integers(1, 3))
def test_resting_changes_nothing(
    runs: list[tuple[str | None, int]], per_hour: str | None, approve: bool, failures: str, step: int
) -> None:
    _same_without_resting(runs, per_hour, approve, failures, step)


@pytest.mark.soak
@settings(max_examples=400, deadline=None)
@given(histories, st.sampled_from([None, "0.05"]), st.booleans(), st.sampled_from(["0", "0.4"]), st.integers(1, 3))
def test_resting_changes_nothing_in_many_histories(
    runs: list[tuple[str | None, int]], per_hour: str | None, approve: bool, failures: str, step: int
) -> None:
    _same_without_resting(runs, per_hour, approve, failures, step)


def _same_without_resting(
    runs: list[tuple[str | None, int]], per_hour: str | None, approve: bool, failures: str, step: int
) -> None:
    course = [value for value, count in runs for _ in range(count)]
    asking = replace(tier(2, "4", "2"), needs_approval=True, expires_after=timedelta(minutes=50))
    signals = [signal("burn", Measure.BURN_RATE, timedelta(minutes=20))]
    of = ladder(tier(1, "2", "1.2"), asking, signals=signals, limits=Limits(4, 7 * MINUTE, 5 * MINUTE))
    after = 3 * MINUTE if approve else None
    options = replace(NO_TIME, approval_after=after, journey_failures=Decimal(failures), seed=len(course))
    past = history(course, per_hour=per_hour, step=step * MINUTE, spend="15")
    quick, slow = simulate(of, past, options), simulate(of, past, options, asks_always=True)
    assert (quick.moves, quick.totals) == (slow.moves, slow.totals)
    assert [(each.because, each.since, each.until) for each in quick.held] == [
        (each.because, each.since, each.until) for each in slow.held
    ]
    assert quick.decided <= slow.decided


def test_the_same_history_gives_the_same_simulation() -> None:
    options = replace(NO_TIME, journey_failures=Decimal("0.5"), seed=3)
    course = (["1"] * 20 + ["5"] * 50) * 5
    assert run(course, options=options) == run(course, options=options)


@pytest.mark.parametrize("every", [20, 45, 60, 90])
def test_points_and_samples_need_not_fall_together(every: int) -> None:
    found = simulate(ladder(every=timedelta(seconds=every)), history(["3"] * 60), NO_TIME)
    assert len(found.moves) == 1
    assert sum((each.until - each.since for each in found.stretches), timedelta(0)) == timedelta(hours=1)
