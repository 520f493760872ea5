"""Benjamini–Hochberg among the members of each group, and each member's share in what is off."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.anomaly.groups.contributions import leading, shares
from alerts.anomaly.groups.discoveries import admitted, discoveries, p_of, rarest
from alerts.anomaly.groups.model import Groups, group

NAN = float("nan")
ALL = group([{}] * 3, [])


def groups_of(numbers: list[int]) -> Groups:
    return Groups(np.array(numbers), tuple({"g": str(each)} for each in range(max(numbers, default=-1) + 1)))


P = st.one_of(st.floats(0, 0.1), st.floats(0, 1), st.just(NAN), st.sampled_from([0.0, 0.01, 0.05, 1.0]))


MEMBERS = st.lists(st.tuples(st.integers(0, 3), P), min_size=1, max_size=25)
RATES = st.sampled_from([0.001, 0.05, 0.2, 0.9])


def judged(members: list[tuple[int, float]], rate: float) -> list[tuple[list[float], list[bool]]]:
    """Of each group the p that are numbers, and whether they were discovered."""
    p = np.array([each for _, each in members])
    numbers = [number for number, _ in members]
    found = discoveries(p, groups_of(numbers), rate)
    assert not found[np.isnan(p)].any()
    rows = [[row for row, each in enumerate(numbers) if each == one and not np.isnan(p[row])] for one in range(4)]
    return [(p[each].tolist(), found[each].tolist()) for each in rows if each]


@settings(max_examples=40, deadline=None)
@given(members=MEMBERS, rate=RATES)
def test_all_up_to_the_largest_that_is_small_enough_for_its_rank_are_discoveries(
    members: list[tuple[int, float]], rate: float
) -> None:
    for p, found in judged(members, rate):
        ranked = sorted(p)
        small = [each for rank, each in enumerate(ranked, 1) if each <= rate * rank / len(ranked)]
        assert found == [each <= max(small, default=-1) for each in p]


@pytest.mark.soak
@settings(max_examples=1000, deadline=None)
@given(members=MEMBERS, rate=RATES)
def test_the_discoveries_are_those_of_statsmodels(members: list[tuple[int, float]], rate: float) -> None:
    from statsmodels.stats.multitest import multipletests  # seconds to import

    for p, found in judged(members, rate):
        assert found == multipletests(p, rate, "fdr_bh")[0].tolist()


def test_a_lone_anomaly_among_ten_thousand_members_is_found_and_chance_is_not() -> None:
    rng = np.random.default_rng(3)
    rarity = -np.log10(rng.random(10_000))  # nothing is wrong: every tenth has a rarity of 1
    rarity = np.where(rarity > 4, 4 + (rarity - 4) / 10, rarity)
    everybody = group([{}] * 10_000, [])
    assert admitted(rarity, everybody, 0.05).sum() == 0
    rarity[1234] = 4.5  # 1e-9
    assert np.flatnonzero(admitted(rarity, everybody, 0.05)).tolist() == [1234]


def test_rarities_are_turned_into_p_and_the_soft_cap_is_undone() -> None:
    found = p_of(np.array([0, 1, 4, 4.1, 5, 50, -1, NAN], dtype=np.float32))
    assert found[:5].tolist() == pytest.approx([1, 0.1, 1e-4, 1e-5, 1e-14], rel=1e-4)
    assert 0 < found[5] < 1e-200
    assert found[6] == 1
    assert np.isnan(found[7])


def test_a_member_that_is_just_anomalous_passes_among_hundreds() -> None:
    seasonal = np.full(400, 0.3, dtype=np.float32)
    seasonal[7] = 4.0  # `point` is then 1.33, its threshold 1.29
    none = np.zeros(400, dtype=np.float32)
    everybody = group([{}] * 400, [])
    assert np.flatnonzero(admitted(rarest(seasonal, none, none), everybody, 0.05)).tolist() == [7]
    assert not admitted((seasonal / 3).astype(np.float64), everybody, 0.05).any()  # a mean of channels is no rarity


def test_the_rarest_channel_counts_and_the_slow_one_only_where_it_is_watched() -> None:
    one, two = np.array([1.0, NAN]), np.array([2.0, NAN])
    assert np.array_equal(rarest(one, two, one, slow=None), two, equal_nan=True)
    assert np.array_equal(rarest(one, one, one, slow=two), two, equal_nan=True)
    assert np.array_equal(rarest(one, one, one), one, equal_nan=True)


def test_where_nothing_is_known_nothing_is_held_back() -> None:
    assert admitted(np.array([NAN, 0.1, 6]), ALL, 0.05).tolist() == [True, False, True]


def test_a_series_in_no_group_stands_for_itself() -> None:
    rarity = np.array([1.5, 1.5, 1.5, 0.1, 0.1])
    assert admitted(rarity, Groups(np.array([-1, 0, 0, 0, -1]), ({},)), 0.05).tolist() == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert admitted(rarity[:2], Groups(np.array([-1, -1]), ()), 0.05).tolist() == [True, True]
    assert discoveries(np.zeros(0), group([], []), 0.05).tolist() == []


def test_shares_are_signed_and_sum_to_one() -> None:
    found = shares(np.array([30, 10, 5]), np.array([10, 10, 10]), ALL)
    assert found.tolist() == pytest.approx([4 / 3, 0, -1 / 3])


def test_who_has_no_value_or_nothing_to_compare_with_has_no_share() -> None:
    found = shares(np.array([30, NAN, 5]), np.array([10, 10, NAN]), ALL)
    assert found[0] == 1
    assert np.isnan(found[1:]).all()
    nobody = Groups(np.array([-1, -1]), ())
    assert np.isnan(shares(np.array([1, 2]), np.array([0, 0]), nobody)).all()


def test_residuals_that_cancel_out_leave_nothing_to_share() -> None:
    assert np.isnan(shares(np.array([20, 0.01, 10]), np.array([10, 10, 10]), ALL)).all()
    assert np.isnan(shares(np.array([10, 10, 10]), np.array([10, 10, 10]), ALL)).all()


def test_those_that_are_furthest_off_lead() -> None:
    found = np.array([0.1, -0.4, NAN, 1.3, 5])
    groups = Groups(np.array([0, 0, 0, 0, 1]), ({}, {}))
    assert leading(found, groups, 0, most=2) == [(3, 1.3), (1, -0.4)]
    assert leading(found, groups, 1) == [(4, 5.0)]


NUMBER = st.one_of(st.floats(-1e6, 1e6), st.just(NAN))


@settings(max_examples=30, deadline=None)
@given(members=st.lists(st.tuples(st.integers(-1, 2), NUMBER, NUMBER), min_size=1, max_size=12))
def test_shares_of_every_group_sum_to_one_or_there_are_none(members: list[tuple[int, float, float]]) -> None:
    numbers = [number for number, _, _ in members]
    groups = Groups(np.array(numbers), ({}, {}, {}))
    found = shares(np.array([value for _, value, _ in members]), np.array([each for _, _, each in members]), groups)
    for number in {0, 1, 2} & set(numbers):
        own = found[(groups.of == number) & ~np.isnan(found)]
        assert not own.size or own.sum() == pytest.approx(1, abs=1e-6)
