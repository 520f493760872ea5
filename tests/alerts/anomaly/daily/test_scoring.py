from datetime import date, timedelta

import numpy as np
import pytest

from alerts.anomaly.daily.model import Amounts, DailyScores
from alerts.anomaly.daily.scoring import newest, score_days
from alerts.anomaly.detector.model import Terms
from alerts.anomaly.model import Direction, Maturity

FIRST = date(2026, 6, 1)  # a Monday
DAYS = 100
NAMES = ("spike", "step", "weekends", "forgotten", "month ends", "gaps", "flat")
DAY = np.arange(DAYS)
WEEKEND = DAY % 7 >= 5
MONTH_END = np.array([(FIRST + timedelta(days=int(day) + 1)).day == 1 for day in DAY])


def _bills() -> Amounts:
    random = np.random.default_rng(5)
    bills = np.full((len(NAMES), DAYS), 100.0)
    bills[NAMES.index("spike"), 60] = 170
    bills[NAMES.index("step"), 60:] = 150
    bills[NAMES.index("weekends") : NAMES.index("forgotten") + 1, WEEKEND] = 0
    bills[NAMES.index("month ends"), MONTH_END] = 260
    noisy = bills * np.exp(random.normal(0, 0.03, bills.shape))
    noisy[NAMES.index("forgotten"), 68:70] = 103
    noisy[NAMES.index("gaps"), 40:52] = np.nan
    noisy[NAMES.index("flat")] = 100
    return np.round(noisy, 2)


BILLS = _bills()


@pytest.fixture(scope="module")
def scored() -> DailyScores:
    return score_days(BILLS, FIRST)


def _alarms(scored: DailyScores, name: str) -> list[int]:
    return np.flatnonzero(scored.score[NAMES.index(name)] > 1).tolist()


def test_a_spike_alarms_on_its_day_and_the_band_is_as_before_on_the_next(scored: DailyScores) -> None:
    row = NAMES.index("spike")
    assert _alarms(scored, "spike") == [60]
    assert scored.expected[row, 61] == pytest.approx(scored.expected[row, 59], rel=0.03)
    width = scored.upper[row] - scored.lower[row]
    assert width[61] < 1.3 * width[59]


def test_a_step_alarms_until_three_days_make_it_the_new_normal(scored: DailyScores) -> None:
    row = NAMES.index("step")
    assert _alarms(scored, "step") == [60, 61, 62]
    assert np.flatnonzero(scored.shifted[row]).tolist() == [62]
    assert scored.expected[row, 63] == pytest.approx(150, rel=0.06)


def test_weekends_that_cost_nothing_are_expected_and_one_that_was_forgotten_alarms(scored: DailyScores) -> None:
    assert _alarms(scored, "weekends") == []
    assert [day for day in _alarms(scored, "forgotten") if day < 75] == [68, 69]
    assert scored.weekday[NAMES.index("weekends"), 96] < -80


def test_a_dear_month_end_is_news_once_and_told_as_an_effect_afterwards(scored: DailyScores) -> None:
    ends = np.flatnonzero(MONTH_END).tolist()  # 30 June, 31 July, 31 August
    assert _alarms(scored, "month ends") == ends[:1]
    assert scored.month_edge[NAMES.index("month ends"), ends[2]] > 100
    assert abs(scored.month_edge[NAMES.index("month ends"), ends[2] - 5]) < 10


def test_days_that_nobody_recorded_have_no_score_and_do_no_harm(scored: DailyScores) -> None:
    assert np.isnan(scored.score[NAMES.index("gaps"), 40:52]).all()
    assert _alarms(scored, "gaps") == []


def test_expected_is_the_sum_of_its_parts_and_lies_within_the_band(scored: DailyScores) -> None:
    known = np.isfinite(scored.score)
    parts = scored.trend + scored.weekday + scored.month_edge
    np.testing.assert_allclose(parts[known], scored.expected[known], atol=1e-6)
    assert (scored.lower <= scored.expected)[known].all()
    assert (scored.expected < scored.upper)[known].all()


def test_a_score_over_1_is_an_amount_outside_the_band(scored: DailyScores) -> None:
    known = np.isfinite(scored.score)
    outside = (scored.lower > BILLS) | (scored.upper < BILLS)
    np.testing.assert_array_equal((scored.score > 1)[known], outside[known])


def test_maturity_grows_from_a_week_over_two_to_two_month_ends(scored: DailyScores) -> None:
    ages = scored.maturity[NAMES.index("flat")]
    assert ages[6] == Maturity.COLD
    assert np.isnan(scored.score[:, :7]).all()
    assert [ages[7], ages[14], ages[62]] == [Maturity.LEVEL, Maturity.DAILY, Maturity.WEEKLY]


@pytest.mark.parametrize("count", [20, 63, 71])
def test_a_day_is_scored_from_the_days_before_it_alone(scored: DailyScores, count: int) -> None:
    prefix = newest(BILLS[:, :count], FIRST, days=2)
    for name in DailyScores.__slots__:
        np.testing.assert_array_equal(getattr(prefix, name), getattr(scored, name)[:, count - 2 : count], err_msg=name)


def test_a_day_still_being_filled_in_is_not_low_and_not_learnt_from_but_already_too_high_all_the_same() -> None:
    bills = np.tile(BILLS[NAMES.index("spike"), :42], (3, 1))
    bills[:, 39:41] = [[30, 30], [30, 30], [100, 240]]
    settled = np.ones(bills.shape, dtype=bool)
    settled[1:, 39:41] = False
    found = newest(bills, FIRST, days=3, settled=settled)
    assert found.score[0, 0] > 1
    assert np.isnan(found.score[1, :2]).all()
    assert found.score[2, 1] > 1
    assert found.expected[1, 2] == pytest.approx(100, rel=0.05)


def test_direction_and_least_deviation_hold_back_what_an_operator_does_not_want() -> None:
    bills = np.tile(BILLS[NAMES.index("spike"), :41], (2, 1))
    bills[:, 40] = [160, 20]
    above, below = (
        newest(bills, FIRST, Terms(direction=each)).score[:, 0] > 1 for each in (Direction.ABOVE, Direction.BELOW)
    )
    assert above.tolist() == [True, False]
    assert below.tolist() == [False, True]
    assert (newest(bills, FIRST, Terms(least_absolute=90)).score < 1).all()
    assert (newest(bills, FIRST, Terms(least_relative=0.9)).score < 1).all()


def test_nothing_of_no_days_and_no_score_of_a_few() -> None:
    assert score_days(np.empty((2, 0)), FIRST).score.shape == (2, 0)
    assert np.isnan(score_days(np.ones((1, 5)), FIRST).score).all()
    empty = newest(np.full((1, 40), np.nan), FIRST)
    assert np.isnan(empty.score).all()


def test_a_bill_of_nothing_stays_silent_until_it_costs_something() -> None:
    bills = np.zeros((1, 40))
    bills[0, 39] = 25
    found = newest(bills, FIRST, days=2)
    assert found.score[0, 0] == 0
    assert found.score[0, 1] > 1


def test_the_first_credit_is_an_anomaly() -> None:
    bills = BILLS[NAMES.index("spike") : NAMES.index("spike") + 1, :40].copy()
    bills[0, 39] = -80
    found = newest(bills, FIRST)
    assert found.score[0, 0] > 1
    assert found.lower[0, 0] >= 0
