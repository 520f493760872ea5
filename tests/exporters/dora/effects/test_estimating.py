"""The estimator: predictions from the past, exact small counts, and what is missing."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from exporters.dora.effects.estimating import (
    Estimate,
    Method,
    Question,
    Scale,
    TooLittle,
    _medians_without,
    estimate,
    history,
)
from exporters.dora.effects.slots import MIDDLE, Slots, Window
from exporters.dora.effects.small_counts import predicted_counts
from exporters.dora.effects.student import normal, student

AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SLOT = timedelta(minutes=5)
BEFORE, AFTER = Window(AT - HOUR, AT), Window(AT + SLOT, AT + SLOT + HOUR)


def slots(
    days: float, bad: float = 3, events: float = 3000, after: float | None = None, waves: Sequence[float] = (1,)
) -> Slots:  # fmt: skip
    """The same in every slot, times a wave; `after` is what the deployment makes of `bad`."""
    number = int(timedelta(days=days) / SLOT)
    start = AT - number * SLOT
    entries = []
    for place in range(number + 14):
        at = start + place * SLOT
        wave = waves[place % len(waves)]
        part = bad * wave if at < AT or after is None else after * wave
        entries.append(((at + MIDDLE).timestamp(), part, events))
    return Slots.of(entries)


def asked(found: Slots, **other: object) -> Estimate:
    return estimate(found, Question(AT, BEFORE, AFTER, **other))  # type: ignore[arg-type]


def test_a_rise_is_told_against_what_was_expected() -> None:
    found = asked(slots(7, after=90))
    assert found.before == pytest.approx(0.001)
    assert found.after == pytest.approx(0.03)
    assert found.expected == pytest.approx(0.001)
    assert 0.0005 < found.low < 0.001 < found.high < 0.0016
    assert (found.part, found.whole) == (12 * 90, 12 * 3000)


def test_even_where_the_past_never_differs_chance_remains() -> None:
    """12 slots of 3 events: 36 ± 2 · √72 by chance alone."""
    found = asked(slots(7))
    assert found.method is Method.PAST
    reach = normal(0.95) * math.sqrt(0.001 * 0.999 * 2 / 36_000)
    assert found.high - found.expected >= reach * 0.999


def test_many_events_that_never_differ_still_differ_by_chance() -> None:
    """12 slots of 300 events, more than are counted exactly."""
    found = asked(slots(7, bad=300))
    reach = normal(0.95) * math.sqrt(0.1 * 0.9 * 2 / 36_000)
    assert found.high - found.expected == pytest.approx(reach)


def test_an_hour_at_which_more_goes_wrong_than_at_others_has_a_wider_interval() -> None:
    random = np.random.default_rng(3)
    start = AT - timedelta(days=7)
    waves = [1.0] * (7 * 288 + 14)
    for place in range(len(waves)):
        is_restless = (start + place * SLOT).hour in (9, 10, 11)
        waves[place] = math.exp(random.normal(0, 1.5 if is_restless else 0.05))
    found, elsewhere = (
        asked(slots(7, bad=300, events=30_000, waves=waves)),
        slots(7, bad=300, events=30_000, waves=waves),
    )
    calm = Question(AT - 5 * HOUR, Window(AT - 6 * HOUR, AT - 5 * HOUR), Window(AT - 5 * HOUR, AT - 4 * HOUR))
    quiet = estimate(elsewhere, calm)
    assert (found.high - found.low) / found.expected > 3 * (quiet.high - quiet.low) / quiet.expected


def test_what_is_usual_at_that_hour_is_taken_off() -> None:
    """Errors that double from ten to eleven each day are no deployment's."""
    day = [1.0] * 288
    start = AT - timedelta(days=7)
    first = int((AT - start) / SLOT) % 288
    for place in range(13):
        day[(first + place) % 288] = 6.0
    found = asked(slots(7, waves=day))
    assert found.method is Method.PAST_SAME_HOUR
    assert found.expected == pytest.approx(0.006)
    assert found.low <= found.after <= found.high


@pytest.mark.parametrize(("hours", "method"), [(2, Method.SLOTS), (14, Method.FEW_PASTS), (40, Method.PAST)])
def test_the_less_past_there_is_the_less_is_asked_of_it(hours: float, method: Method) -> None:
    found = asked(slots(hours / 24, waves=(1, 2, 0, 1, 1)))
    assert found.method is method
    assert (found.pasts > 0) is (method is not Method.SLOTS)


def test_other_deployments_in_the_past_are_left_out_where_enough_is_left() -> None:
    past = slots(7, waves=(1, 2, 0, 1, 1))
    every = asked(past)
    some_left = asked(past, others=[AT - timedelta(hours=7 + 24 * number) for number in range(6)])
    assert some_left.pasts < every.pasts
    none_left = asked(past, others=[AT - timedelta(hours=number) for number in range(1, 170)])
    assert none_left.pasts == every.pasts


def test_few_events_are_judged_by_exact_counts() -> None:
    assert predicted_counts(0, 1, 0.95) == (0, 3)
    low, high = predicted_counts(10, 1, 0.95)
    assert (low, high) == (3, 21)  # negative binomial, 10.5 successes of probability 1/2
    assert not asked(slots(7, bad=0, events=10, after=0.25)).high < 3 / 120
    assert asked(slots(7, bad=0, events=10, after=1)).after > asked(slots(7, bad=0, events=10, after=1)).high


@given(some.floats(0, 60), some.floats(0.05, 20), some.sampled_from([0.8, 0.95, 0.99]))
def test_predicted_counts_hold_what_they_promise(seen: float, ratio: float, confidence: float) -> None:
    low, high = predicted_counts(seen, ratio, confidence)
    size, success = seen + 0.5, 1 / (1 + ratio)
    counts = np.arange(int(high) + 2)
    logs = [
        math.lgamma(size + k) - math.lgamma(size) - math.lgamma(k + 1) + size * math.log(success)
        + k * math.log1p(-success)
        for k in counts
    ]  # fmt: skip
    masses = np.exp(logs)
    tail = (1 - confidence) / 2
    assert masses[: int(low)].sum() <= tail + 1e-9
    assert 1 - masses[: int(high) + 1].sum() <= tail + 1e-9
    assert high == 0 or 1 - masses[: int(high)].sum() > tail - 1e-9


@pytest.mark.parametrize(
    ("confidence", "degrees", "value"),
    [
        (0.95, 1, 12.7062),
        (0.95, 2, 4.3027),
        (0.95, 3, 3.1824),
        (0.95, 8, 2.3060),
        (0.99, 5, 4.0321),
        (0.9, 30, 1.6973),
        (0.9999, 3, 28.0001),
    ],
)
def test_students_quantiles_are_those_of_the_tables(confidence: float, degrees: float, value: float) -> None:
    assert student(confidence, degrees) == pytest.approx(value, rel=1e-3)


def test_half_of_the_slots_must_be_there() -> None:
    whole = slots(7)
    times = whole.at - MIDDLE.total_seconds()
    keep = (times < AFTER.start.timestamp()) | (times >= (AFTER.start + timedelta(minutes=35)).timestamp())
    gap = Slots.of(zip(whole.at[keep], whole.part[keep], whole.whole[keep], strict=True))
    with pytest.raises(TooLittle, match="5 of 12 slots after it have data"):
        asked(gap)


def test_what_is_not_finite_is_missing() -> None:
    found = Slots.of([(1, math.nan, 2), (2, 1, math.inf), (4, 1, 2), (3, 0, 5), (5, -1, 2)])
    assert (list(found.at), list(found.part), list(found.whole)) == ([3, 4], [0, 1], [5, 2])


def test_no_traffic_and_no_cost_are_no_ratio() -> None:
    with pytest.raises(TooLittle, match="no traffic before it"):
        asked(slots(7, events=0, bad=0))
    with pytest.raises(TooLittle, match="no cost before it"):
        asked(slots(7, bad=0, after=2), scale=Scale.QUOTIENT)
    with pytest.raises(TooLittle, match="0 of 12"):
        asked(Slots.of([]))


def test_costs_are_compared_as_quotients() -> None:
    found = asked(slots(7, after=6, waves=(1, 1.1, 0.9, 1)), scale=Scale.QUOTIENT)
    assert found.after / found.expected == pytest.approx(2, rel=0.02)
    assert found.low * found.high == pytest.approx(found.expected**2)


def test_the_past_that_is_asked_for_grows_with_the_window_within_bounds() -> None:
    assert history(timedelta(minutes=15)) == timedelta(days=7)
    assert history(timedelta(hours=2)) == timedelta(hours=320)
    assert history(timedelta(days=1)) == timedelta(days=28)


@given(
    some.lists(
        some.lists(some.one_of(some.just(math.nan), some.floats(-9, 9)), min_size=3, max_size=3), min_size=1, max_size=8
    )
)
def test_medians_of_the_others_are_those_of_the_others(rows: list[list[float]]) -> None:
    table = np.array(rows)
    found = _medians_without(table)
    for day, hour in np.ndindex(*table.shape):
        if math.isnan(table[day, hour]):
            continue
        rest = [value for value in np.delete(table[:, hour], day) if not math.isnan(value)]
        expected = float(np.median(rest)) if len(rest) >= 2 else math.nan
        assert found[day, hour] == pytest.approx(expected, nan_ok=True)


@given(some.floats(0.1, 50), some.floats(0, 50), some.integers(1, 7))
def test_an_interval_holds_what_it_expects_within_0_and_1(bad: float, after: float, days: int) -> None:
    found = asked(slots(days, bad=bad, events=60, after=after))
    assert 0 <= found.low <= found.expected <= found.high <= 1
