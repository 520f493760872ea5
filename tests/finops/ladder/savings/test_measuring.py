"""What a step saved, measured where the truth is known: bias, and how often the interval holds it."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.ladder.savings.measuring import Measured, measure, student
from tests.finops.ladder.savings.worlds import Seen, World, seen

WORLDS = {
    "noise alone": World(),
    "traffic grows by a third meanwhile": World(growth=0.33),
    "traffic falls meanwhile": World(growth=-0.3),
    "the tier saves a share": World(saving=0, share=0.15, growth=0.3),
    "all spend follows the load": World(fixed=0.0, growth=0.5),
    "hardly any spend follows the load": World(fixed=0.9, growth=0.5),
    "much noise that lasts": World(noise=0.1, memory=0.8),
    "two hours afterwards": World(after=24),
    "a quarter of an hour on either side": World(before=3, after=3),
    "no unit cost": World(load="usual"),
    "two days of history": World(days=2, growth=0.2),
    "nothing is saved": World(saving=0),
}
NEW_INSTALLATIONS = {
    "an hour on either side": World(days=0, load="nothing", swing=0),
    "a quarter of an hour on either side": World(days=0, load="nothing", swing=0, before=4, after=4),
    "two hours of lasting noise": World(days=0, load="nothing", swing=0, after=24, memory=0.7),
    "no memory": World(days=0, load="nothing", swing=0, memory=0.0),
}


def runs(world: World, number: int) -> list[tuple[Seen, Measured]]:
    """Runs of a world and what is measured of each."""
    found = []
    for seed in range(number):
        one = seen(world, seed)
        result = measure(one.history, one.before, one.after)
        assert result is not None
        found.append((one, result))
    return found


def bias_and_coverage(world: World, number: int) -> tuple[float, float]:
    """The mean error as a share of the spend, and how often the interval holds the truth."""
    found = runs(world, number)
    bias = float(np.mean([result.saving - one.truth for one, result in found])) / 20
    return bias, float(np.mean([result.low <= one.truth <= result.high for one, result in found]))


@pytest.mark.parametrize(
    "name", ["noise alone", "traffic grows by a third meanwhile", "the tier saves a share", "no unit cost"]
)
def test_four_intervals_of_five_hold_the_truth(name: str) -> None:
    bias, coverage = bias_and_coverage(replace(WORLDS[name], days=6), 30)
    assert abs(bias) < 0.025
    assert 0.6 <= coverage <= 0.97  # of 30 runs; how near it comes to 0.8 is told by the campaign below


@pytest.mark.soak
@pytest.mark.parametrize("name", WORLDS)
def test_the_interval_holds_what_it_says_over_many_worlds(name: str) -> None:
    bias, coverage = bias_and_coverage(WORLDS[name], 500)
    print(f"{name}: bias {bias:+.2%} of the spend, coverage {coverage:.1%}")
    assert abs(bias) < 0.01
    assert 0.72 <= coverage <= 0.88


@pytest.mark.soak
@pytest.mark.parametrize("name", NEW_INSTALLATIONS)
def test_without_history_the_interval_is_rather_too_wide(name: str) -> None:
    bias, coverage = bias_and_coverage(NEW_INSTALLATIONS[name], 500)
    print(f"{name}: bias {bias:+.2%} of the spend, coverage {coverage:.1%}")
    assert abs(bias) < 0.01
    assert 0.7 <= coverage <= 0.93


def test_without_history_the_interval_comes_from_the_blocks() -> None:
    found = runs(NEW_INSTALLATIONS["an hour on either side"], 30)
    assert {result.placebos for _, result in found} == {0}
    assert 0.6 <= np.mean([result.low <= one.truth <= result.high for one, result in found]) <= 0.975


def test_what_something_else_saved_at_the_very_step_cannot_be_told_apart() -> None:
    world = World(neighbour=4.0)
    alone, together = (
        float(np.mean([result.saving for _, result in runs(each, 10)]))
        for each in (replace(World(), days=4), replace(world, days=4))
    )
    assert together - alone == pytest.approx(4.0, abs=0.1)


def test_growth_that_no_unit_cost_tells_hides_the_saving() -> None:
    hidden = float(np.mean([result.saving for _, result in runs(World(load="usual", growth=0.3), 10)]))
    assert hidden < 1.5  # the truth is 3: declare a unit cost


def test_too_few_blocks_on_either_side_say_nothing() -> None:
    one = seen(World(before=3, after=3), 1)
    assert measure(one.history, one.before, one.after) is not None
    assert measure(one.history, (one.before[0] + 1, one.before[1]), one.after) is None
    assert measure(one.history, one.before, (one.after[0], one.after[1] - 1)) is None


def test_blocks_that_are_not_known_are_left_out_and_never_zero() -> None:
    one = seen(World(noise=0.0, swing=0.0), 1)
    money = one.history.money.copy()
    money[one.after[0] : one.after[0] + 5] = np.nan
    result = measure(replace(one.history, money=money), one.before, one.after)
    assert result is not None
    assert result.saving == pytest.approx(3.0, abs=0.05)
    money[one.after[0] : one.after[0] + 7] = np.nan
    assert measure(replace(one.history, money=money), one.before, one.after) is None


def test_placebo_steps_never_straddle_a_real_one() -> None:
    one = seen(World(), 3)
    clean = measure(one.history, one.before, one.after)
    money, regime = one.history.money.copy(), one.history.regime.copy()
    money[2000:2300] -= 8  # another tier was in force then
    regime[2000:2300], regime[2300:] = 5, np.where(regime[2300:] < 0, -1, regime[2300:] + 6)
    masked = measure(
        replace(one.history, money=money, regime=regime, is_full=one.history.is_full & (regime != 5)),
        one.before,
        one.after,
    )
    fooled = measure(replace(one.history, money=money), one.before, one.after)
    assert clean is not None
    assert masked is not None
    assert fooled is not None
    assert masked.high - masked.low < 1.15 * (clean.high - clean.low)
    assert fooled.high - fooled.low > 1.3 * (clean.high - clean.low)


@given(st.floats(min_value=1, max_value=500))
def test_the_quantile_of_student_falls_towards_that_of_the_normal_distribution(freedom: float) -> None:
    assert 1.28 < student(freedom + 1) <= student(freedom) <= 3.08


@pytest.mark.parametrize(
    ("freedom", "quantile"), [(1, 3.078), (2, 1.886), (3, 1.638), (5, 1.476), (10, 1.372), (30, 1.310)]
)
def test_the_quantile_of_student_is_that_of_the_tables(freedom: int, quantile: float) -> None:
    assert math.isclose(student(freedom), quantile, rel_tol=0.003)
