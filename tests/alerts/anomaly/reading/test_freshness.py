"""Ranges that run dry while nobody scrapes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import pytest

from alerts.anomaly.reading.freshness import Freshness
from alerts.anomaly.reading.model import ReadingTerms
from alerts.anomaly.reading.selectors import MOST_SELECTORS, selectors_of
from controlplane.matrix_ports import SampleMatrix
from controlplane.ports import Permanent, Transient
from tests.alerts.anomaly.reading.source import EPOCH

MINUTE = timedelta(minutes=1)
FIRST = 29_830_000
NAN = float("nan")


@dataclass
class Ages:
    """Answers of a backend: the age of each selector's newest sample by minute from FIRST on, in seconds."""

    ages: Mapping[str, list[float]]
    counts: Mapping[str, float] = field(default_factory=dict)
    error: Exception | None = None
    asked: list[str] = field(default_factory=list)

    def matrix(
        self, query: str, start: datetime, end: datetime, step: timedelta, *, most_series: int, exact: bool = False
    ) -> SampleMatrix:
        self.asked.append(query)
        if self.error:
            raise self.error
        first, last = -((EPOCH - start) // step), (end - EPOCH) // step
        places = np.arange(first, last + 1) * (step // MINUTE) - FIRST
        if "count_over_time" in query:
            rows = [[self.counts.get(number, NAN)] * len(places) for number in self.ages]
        elif "label_replace(count(" in query:
            rows = [[NAN if np.isnan(ages[place]) else 3.0 for place in places] for ages in self.ages.values()]
        else:
            limits = re.findall(r"present_over_time\(.*?\[(\d+)s\]", query)
            rows = [
                [1.0 if ages[place] <= int(limit) else NAN for place in places]
                for ages, limit in zip(self.ages.values(), limits, strict=True)
            ]
        assert len(rows) <= most_series
        return SampleMatrix(tuple({"selector": each} for each in self.ages), first, step, np.array(rows))


def terms(query: str = "sum(rate(x[10m]))", minutes: int = 10, *, is_counter: bool = False) -> ReadingTerms:
    return ReadingTerms(query, MINUTE, 60, 10, range=timedelta(minutes=minutes), is_counter=is_counter)


def too_old(source: Ages, of: ReadingTerms | None = None) -> list[int]:
    count = len(next(iter(source.ages.values())))
    found, said = Freshness(of or terms()).too_old(source, FIRST, count)
    assert not said
    return np.flatnonzero(found).tolist()


@pytest.mark.parametrize(
    ("query", "selectors"),
    [
        ("sum by (service) (rate(x[5m]))", ("x",)),
        ('rate(x{a="b\\"c", d=~"e.*"}[5m]) / rate(y[1h])', ('x{a="b\\"c",d=~"e.*"}', "y")),
        ("-(x + x) or vector(0)", ("x",)),
        ("max_over_time(sum(rate(x[5m]))[1h:1m])", ("x",)),
        ("x - x offset 1d - y @ 100", ("x",)),
        ("max_over_time(x[1h:1m] offset 1d) + y", ("y",)),
        ("absent(x) or absent_over_time(y[5m])", ()),
        ("vector(1) + time()", ()),
        ("rate(x[5m]", ()),
        (
            " + ".join(f"x{number}" for number in range(MOST_SELECTORS + 5)),
            ("x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7"),
        ),
    ],
)
def test_selectors_are_those_that_look_at_now(query: str, selectors: tuple[str, ...]) -> None:
    assert selectors_of(query) == selectors


@pytest.mark.parametrize(
    ("count", "ages", "old"),
    [
        (40, [5, 5, 65, 125, 185, 5], [3, 4]),  # every 15 s: a minute and a half is allowed
        (10, [5, 5, 65, 125, 185, 5], [4]),  # every minute: three
        (5, [5, 5, 65, 125, 245, 5], []),  # every two minutes: six
        (NAN, [5, 5, 65, 125, 185, 5], [4]),  # nobody knows: three steps
        (40, [5, 65, 125, 185, 245, NAN, NAN, 5], [2, 3, 4, 5, 6]),  # Prometheus looks back for five minutes only
        (40, [5, 65, 125, *[NAN] * 12, 5], [2, *range(3, 12)]),  # … and the range for ten
        (40, [5, 5, NAN, NAN, 5], []),  # its series ended
        (40, [NAN] * 5, []),
    ],
)  # fmt: skip
def test_steps_are_too_old_by_the_distance_of_samples(count: float, ages: list[float], old: list[int]) -> None:
    assert too_old(Ages({"0": ages}, {"0": count})) == old


def test_the_selector_that_is_worst_off_counts_and_each_has_its_own_distance() -> None:
    source = Ages({"0": [5, 125, 5, 125], "1": [125, 5, 5, 500]}, {"0": 40, "1": 5})
    assert too_old(source, terms("rate(x[5m]) / rate(y[5m])")) == [1, 3]
    assert "present_over_time(x[90s])" in source.asked[1]
    assert "present_over_time(y[360s])" in source.asked[1]


def test_only_ranges_and_counters_are_asked_about() -> None:
    source = Ages({"0": [500.0]})
    assert too_old(source, terms("sum(x)", 0)) == []
    assert not source.asked
    assert too_old(source, terms("x", 0, is_counter=True)) == [0]


def test_a_gap_that_began_before_a_reading_goes_on_in_it() -> None:
    source, freshness = Ages({"0": [5, 65, 125, 185, 245, *[NAN] * 9]}, {"0": 40}), Freshness(terms())
    whole, _ = Freshness(terms()).too_old(source, FIRST, 14)
    parts = [freshness.too_old(source, FIRST + first, 2)[0] for first in range(0, 14, 2)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    freshness.too_old(source, FIRST, 2)  # the past is read again
    assert freshness.too_old(source, FIRST + 8, 2)[0].all()


@pytest.mark.parametrize("error", [Transient("away"), Permanent("no such function")])
def test_without_an_answer_nothing_is_too_old_and_that_is_said_once(error: Exception) -> None:
    source, freshness = Ages({"0": [500.0, 500.0]}, {"0": 40}, error), Freshness(terms())
    first, said = freshness.too_old(source, FIRST, 2)
    assert not first.any()
    assert [str(error) in each for each in said] == [True]
    assert freshness.too_old(source, FIRST, 2)[1] == ()
    source.error = None
    assert freshness.too_old(source, FIRST, 2)[0].all()


def test_distances_are_not_asked_for_each_time() -> None:
    source, freshness = Ages({"0": [5.0] * 10}, {"0": 40}), Freshness(terms())
    for _ in range(20):
        freshness.too_old(source, FIRST, 10)
    assert len(source.asked) == 21  # and whether silent series are there, when some are silent
