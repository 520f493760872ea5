"""A group's sum does not dip because a member was not scraped."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.anomaly.groups.aggregating import aggregate, nobody, patience_of, step_aggregate
from alerts.anomaly.groups.model import Groups, Reals, group

NAN = float("nan")
BY_REGION = group([{"region": "eu"}, {"region": "us"}, {"region": "eu"}, {"region": "eu"}, {"pod": "x"}], ["region"])
ALL = group([{}] * 3, [])


def sums(rows: list[list[float]], groups: Groups = ALL, how: str = "sum", patience: int = 2) -> list[list[float]]:
    found = aggregate(np.array(rows, dtype=np.float32), groups, how=how, patience=patience)[1]
    return [[round(each, 4) for each in row] for row in found.tolist()]


def same(found: list[list[float]], wanted: list[list[float]]) -> bool:
    return bool(np.array_equal(np.array(found), np.array(wanted), equal_nan=True))


def test_series_are_grouped_by_their_values_of_labels_and_one_without_them_is_in_no_group() -> None:
    assert BY_REGION.of.tolist() == [0, 1, 0, 0, -1]
    assert BY_REGION.labels == ({"region": "eu"}, {"region": "us"})
    assert ALL.of.tolist() == [0, 0, 0]
    assert ALL.labels == ({},)
    some = group([{"a": "1"}, {"a": "1", "b": "2"}, {"b": "2"}], ["a", "b"])
    assert some.labels == ({"b": "2"}, {"a": "1"}, {"a": "1", "b": "2"})
    assert group([], ["a"]).count == 0


def test_sums_and_means_are_those_of_members() -> None:
    rows: list[list[float]] = [[1, 2], [10, 20], [2, 3], [6, 7], [99, 99]]
    assert sums(rows, BY_REGION) == [[9, 12], [10, 20]]
    assert sums(rows, BY_REGION, "mean") == [[3, 4], [10, 20]]


def test_a_small_member_that_is_missing_for_a_moment_counts_with_what_it_last_had() -> None:
    rows = [[100.0, 110.0], [90.0, 99.0], [10.0, NAN]]
    assert same(sums(rows), [[200, 219]])
    assert same(sums(rows, how="mean"), [[66.6667, 73.0]])
    assert same(sums([[-100.0, -110.0], [90.0, 99.0], [10.0, NAN]]), [[0, -1]])


def test_without_a_large_member_there_is_no_value() -> None:
    assert same(sums([[100.0, 110], [90, NAN], [10, 11]]), [[200, NAN]])
    assert same(sums([[100.0, NAN], [90, NAN], [10, NAN]]), [[200, NAN]])


def test_a_member_that_is_missing_for_longer_is_gone_and_the_rest_is_the_group() -> None:
    rows = [[100.0] * 5, [90, NAN, NAN, NAN, NAN], [10.0] * 5]
    assert same(sums(rows), [[200, NAN, NAN, 110, 110]])
    assert same(sums(rows, how="mean"), [[66.6667, NAN, NAN, 55, 55]])


def test_a_rollout_that_replaces_all_members_makes_neither_a_dip_nor_a_spike() -> None:
    old, new = [[50.0, 50, NAN, NAN, NAN, NAN]] * 2, [[NAN, NAN, 50.0, 50, 50, 50]] * 2
    found = sums([*old, *new], group([{}] * 4, []))
    assert same(found, [[100, 100, NAN, NAN, 100, 100]])


def test_a_member_that_was_never_seen_is_not_awaited() -> None:
    assert same(sums([[1.0, 1], [2, 2], [NAN, NAN]]), [[3, 3]])


def test_members_that_are_zero_count_alike() -> None:
    assert same(sums([[0.0, 0], [0, 0], [0, NAN]]), [[0, NAN]])
    twenty = [[0.0, 0.0]] * 19 + [[0.0, NAN]]
    assert same(sums(twenty, group([{}] * 20, [])), [[0, 0]])


def test_infinities_are_no_samples() -> None:
    assert same(sums([[100.0, 100], [99, 99], [1, float("inf")]]), [[200, 200.0]])


def test_members_are_awaited_for_ten_minutes_and_two_steps_at_least() -> None:
    assert [patience_of(timedelta(minutes=each)) for each in (1, 3, 5, 60, 1440)] == [10, 4, 2, 2, 2]


VALUES = st.sampled_from([NAN, NAN, 0.0, 1.0, 10.0, -3.0])


@settings(max_examples=20, deadline=None)
@given(
    rows=st.lists(st.tuples(*[VALUES] * 5), min_size=1, max_size=12),
    how=st.sampled_from(["sum", "mean"]),
    patience=st.integers(1, 3),
    cut=st.integers(1, 12),
)
def test_a_prefix_has_the_values_of_the_whole_and_steps_those_of_the_history(
    rows: list[tuple[float, ...]], how: str, patience: int, cut: int
) -> None:
    values = np.array(rows).T
    last, whole = aggregate(values, BY_REGION, how=how, patience=patience)
    assert np.array_equal(
        aggregate(values[:, :cut], BY_REGION, how=how, patience=patience)[1], whole[:, :cut], equal_nan=True
    )
    members, found = nobody(5), list[Reals]()
    for row in values.T:
        members, one = step_aggregate(members, row, BY_REGION, how=how, patience=patience)
        found.append(one)
    assert np.array_equal(np.array(found).T, whole, equal_nan=True)
    assert np.array_equal(members.last, last.last, equal_nan=True)


@settings(max_examples=20, deadline=None)
@given(values=st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=5), order=st.permutations(range(5)))
def test_the_order_of_members_is_irrelevant(values: list[float], order: list[int]) -> None:
    mixed = Groups(BY_REGION.of[order], BY_REGION.labels)
    _, one = step_aggregate(nobody(5), np.array(values), BY_REGION)
    _, other = step_aggregate(nobody(5), np.array(values)[order], mixed)
    assert other == pytest.approx(one, rel=1e-9, abs=1e-6)


def test_long_histories_are_reckoned_in_blocks() -> None:
    values = np.random.default_rng(1).random((3, 600))
    assert np.allclose(aggregate(values, ALL)[1][0], values.sum(axis=0))
