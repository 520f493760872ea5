"""Estimates and their intervals, against figures from the literature and by hand."""

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.dora.measuring import statistics
from exporters.dora.model import NOTHING, Estimate

HALF = Decimal("0.5")


def _numbers(*values: int) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.array(values, np.int32)


def test_nothing_has_no_value() -> None:
    assert statistics.distribution(_numbers()).median == NOTHING
    assert statistics.distribution(_numbers(-1, -2)).quantiles == {}
    assert statistics.rate(0, 0) == NOTHING
    assert statistics.median(_numbers(-1)) is None


def test_the_middle_of_an_even_number_lies_between_two() -> None:
    assert statistics.quantile(_numbers(10, 20, 30, 45), HALF) == Estimate(Decimal(25), 4)
    assert statistics.quantile(_numbers(10, 20, 30, 45), Decimal("0.75")).value == Decimal("33.75")  # 30 + 0.25 · 15


def test_unknown_durations_are_left_out() -> None:
    found = statistics.distribution(_numbers(30, -1, 10, -2, 20))
    assert found.median == Estimate(Decimal(20), 3)
    assert found.mean == Estimate(Decimal(20), 3)


@pytest.mark.parametrize(
    ("count", "ranks"),
    # 95 % intervals of a median as order statistics: Conover, Practical Nonparametric Statistics, and Hahn and Meeker's
    # table A.15; from one counted on.
    [(6, (1, 6)), (8, (1, 8)), (9, (2, 8)), (10, (2, 9)), (12, (3, 10)), (20, (6, 15)), (25, (8, 18)), (100, (40, 61))],
)
def test_medians_have_the_intervals_of_the_tables(count: int, ranks: tuple[int, int]) -> None:
    assert statistics.ranks(count, 0.5) == (ranks[0] - 1, ranks[1] - 1)


def test_five_values_are_too_few_for_an_interval() -> None:
    assert statistics.ranks(5, 0.5) is None  # 2 · 0.5⁵ = 6.25 %
    assert statistics.ranks(71, 0.95) is None  # all lie below the 95 % quantile with 0.95⁷¹ = 2.62 %
    assert statistics.ranks(72, 0.95) == (63, 71)  # 0.95⁷² = 2.49 %
    assert statistics.ranks(0, 0.5) is None


@given(st.integers(1, 400), st.sampled_from([0.5, 0.75, 0.9, 0.95]))
def test_each_tail_is_at_most_two_and_a_half_percent(count: int, share: float) -> None:
    found = statistics.ranks(count, share)
    at_most = np.cumsum([math.comb(count, k) * share**k * (1 - share) ** (count - k) for k in range(count + 1)])
    if found is None:
        # with the smallest or the largest value as its end, a tail would be too heavy
        assert at_most[0] > 0.025 - 1e-9 or 1 - at_most[count - 1] > 0.025 - 1e-9
        return
    low, high = found
    assert at_most[low] <= 0.025 + 1e-9  # P(B ≤ l − 1), l counted from one
    assert low + 1 > count or at_most[low + 1] > 0.025 - 1e-9  # and not one further in
    assert 1 - at_most[high] <= 0.025 + 1e-9
    assert 1 - at_most[high - 1] > 0.025 - 1e-9


def test_millions_of_values_have_a_narrow_interval() -> None:
    low, high = statistics.ranks(10_000_000, 0.5) or (0, 0)
    assert (low + 1, high + 1) == pytest.approx((5_000_000 - 3099, 5_000_000 + 3100), abs=2)  # n/2 ± 1.96 · √n/2


def test_rates_have_the_published_score_interval() -> None:
    """Newcombe (Statistics in Medicine 17, 1998), table I, method 3: 81/263, 15/148, 0/20, 1/29."""
    for hits, count, lower, upper in [
        (81, 263, "0.2553", "0.3662"),
        (15, 148, "0.0624", "0.1605"),
        (0, 20, "0.0000", "0.1611"),
        (1, 29, "0.0061", "0.1718"),
    ]:
        found = statistics.rate(hits, count)
        assert found.samples == count
        assert found.lower is not None
        assert found.upper is not None
        assert (round(found.lower, 4), round(found.upper, 4)) == (Decimal(lower), Decimal(upper))


@given(st.integers(1, 10_000).flatmap(lambda count: st.tuples(st.integers(0, count), st.just(count))))
def test_a_rate_lies_in_its_interval(hits_count: tuple[int, int]) -> None:
    found = statistics.rate(*hits_count)
    assert found.value is not None
    assert found.lower is not None
    assert found.upper is not None
    assert 0 <= found.lower <= found.value <= found.upper <= 1


def test_one_deployment_a_day_has_garwoods_interval() -> None:
    """10 events: 4.80 … 18.39 (Garwood 1936). Evenly spread, so there is no more than chance."""
    counts = np.array([1] * 10, np.int64)
    found = statistics.per_day(counts, Decimal(10))
    assert found.value == 1
    assert float(found.lower or 0) == pytest.approx(0.480, abs=0.003)
    assert float(found.upper or 0) == pytest.approx(1.839, abs=0.003)


def test_bursts_widen_the_interval() -> None:
    even = statistics.per_day(np.array([3] * 30, np.int64), Decimal(30))
    burst = statistics.per_day(np.array([0] * 27 + [30] * 3, np.int64), Decimal(30))
    assert even.value == burst.value == 3
    assert burst.lower is not None
    assert even.lower is not None
    assert burst.lower < even.lower / 3


def test_no_deployments_in_a_month_still_bound_the_frequency() -> None:
    found = statistics.per_day(np.zeros(30, np.int64), Decimal(30))
    assert (found.value, found.lower) == (Decimal(0), Decimal(0))
    assert float(found.upper or 0) == pytest.approx(3.69 / 30, rel=0.03)


def test_a_few_days_tell_nothing_of_bursts() -> None:
    found = statistics.per_day(np.array([3, 4, 2], np.int64), Decimal(3))
    assert found == Estimate(Decimal(3), 9)


@pytest.mark.soak
@pytest.mark.parametrize("days", [30, 90])
@pytest.mark.parametrize("process", ["poisson", "working_days", "bursts", "busy_bursts"])
def test_frequencies_lie_in_their_intervals_about_as_often_as_said(days: int, process: str) -> None:
    chance = np.random.default_rng(8)
    weekday = np.arange(days) % 7 < 5
    hits, runs = 0, 4000
    for _ in range(runs):
        if process == "poisson":
            mean, counts = 0.6, chance.poisson(0.6, days)
        elif process == "working_days":  # nothing at weekends
            mean, counts = 1.4 * weekday.mean(), chance.poisson(1.4, days) * weekday
        elif process == "bursts":  # negative binomial, variance three times the mean
            mean, counts = 1.0, chance.negative_binomial(0.5, 1 / 3, days)
        else:  # variance eleven times the mean
            mean, counts = 10.0, chance.negative_binomial(1, 1 / 11, days)
        found = statistics.per_day(counts.astype(np.int64), Decimal(days))
        assert found.lower is not None
        assert found.upper is not None
        hits += float(found.lower) <= mean <= float(found.upper)
    assert hits / runs >= 0.91


@pytest.mark.soak
@pytest.mark.parametrize("count", [6, 10, 30, 200])
def test_medians_of_skewed_durations_lie_in_their_intervals(count: int) -> None:
    chance = np.random.default_rng(8)
    true = math.exp(9)
    hits, runs = 0, 4000
    for _ in range(runs):
        found = statistics.quantile(np.sort(chance.lognormal(9, 1.8, count).astype(np.int32)), HALF)
        assert found.lower is not None
        assert found.upper is not None
        hits += float(found.lower) <= true <= float(found.upper)
    assert hits / runs >= 0.94
