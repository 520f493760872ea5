"""Values after a gap, whose ranges are not full of samples yet."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.anomaly.model import Grouping
from alerts.anomaly.scoring.incomplete import complete, longest_range
from controlplane.store import SqlStore
from tests.alerts.anomaly.scoring.running import Running, kept
from tests.alerts.anomaly.scoring.worlds import PER_DAY, detector, seasonal

NAN = float("nan")
NOW = 42 * PER_DAY


@pytest.mark.parametrize(
    ("query", "minutes"),
    [
        ("up", 0),
        ("sum by (service) (rate(http_requests_total[5m]))", 5),
        ('rate(x{path="[9h]"}[1m]) / rate(y[1h30m])', 90),
        ("max_over_time(rate(x[5m])[2h:1m])", 120),
        ("avg_over_time(x[ 10m ] offset 1d)", 10),
        ("max_over_time(x[1h:])", 60),
    ],
)
def test_the_longest_range_is_found_wherever_it_stands(query: str, minutes: int) -> None:
    assert longest_range(query) == timedelta(minutes=minutes)


def test_what_follows_a_missing_step_within_the_range_is_missing() -> None:
    values = np.array([[1, NAN, 2, 3, 4], [1, 2, 3, 4, 5]], dtype=np.float32)
    np.testing.assert_array_equal(complete(values, 2), [[1, NAN, NAN, NAN, 4], [1, 2, 3, 4, 5]])
    np.testing.assert_array_equal(complete(values, 0), values)


@settings(max_examples=25)
@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(0, 6))
def test_a_step_needs_only_those_before_it_within_the_range(there: list[bool], steps: int) -> None:
    values = np.where(there, np.arange(len(there)), NAN).astype(np.float32)[None, :]
    whole = complete(values, steps)
    for place in range(len(there)):
        first = max(place - steps, 0)
        np.testing.assert_array_equal(complete(values[:, first : place + 1], steps)[:, -1], whole[:, place])


@pytest.mark.parametrize(("query", "told"), [("sum(rate(traffic[3h]))", False), ("traffic", True)])
def test_a_rate_that_rises_after_a_gap_is_no_anomaly(store: SqlStore, query: str, told: bool) -> None:
    world = seasonal(days=44)
    world.values[:, NOW + 2 : NOW + 8] = NAN
    world.values[:, NOW + 8 : NOW + 11] *= np.array([0.02, 0.05, 0.1])
    running = Running(store, world, [detector(query=query, grouping=Grouping(false_discovery_rate=None))])
    running.at(NOW)
    for index in range(NOW + 8, NOW + 14):
        running.at(index)
    assert bool(kept(store)[0]) is told
