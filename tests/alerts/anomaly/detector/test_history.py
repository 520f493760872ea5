"""What `score_history` promises: no look-ahead, no false certainty, a band that says what the score says."""

import warnings
from dataclasses import fields
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.anomaly.detector.history import score_history
from alerts.anomaly.detector.model import Floats, Scores, Terms
from alerts.anomaly.detector.settings import THRESHOLDS
from alerts.anomaly.model import Direction, Maturity, Sensitivity, Values
from tests.alerts.anomaly.detector.series import panel, seasonal

STEPS = [timedelta(minutes=30), timedelta(hours=1), timedelta(hours=6), timedelta(minutes=7)]


def odd_series(random: np.random.Generator, kind: int, count: int) -> Floats:
    """All that may come along."""
    noise = random.standard_normal(count)
    kinds = [
        noise,
        np.cumsum(noise),
        np.full(count, 7.0),
        np.zeros(count),
        random.integers(0, 2, count).astype(float),
        np.full(count, np.nan),
        noise * 1e36,
        noise * 1e-30,
        np.where(random.random(count) < 0.4, np.nan, 100 + noise),
        np.where(random.random(count) < 0.1, np.inf, noise),
        np.where(random.random(count) < 0.02, -3e38, np.where(random.random(count) < 0.02, 3e38, noise)),
        random.poisson(0.05, count).astype(float),
    ]
    return np.asarray(kinds[kind % len(kinds)], dtype=np.float32)


@st.composite
def panels(draw: st.DrawFn) -> tuple[Floats, timedelta, int]:
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    count = draw(st.integers(1, 420))
    kinds = draw(st.lists(st.integers(0, 11), min_size=1, max_size=4))
    values = np.stack([odd_series(random, kind, count) for kind in kinds])
    return values, draw(st.sampled_from(STEPS)), draw(st.integers(-1000, 1_000_000))


def equal(one: Scores, other: Scores, count: int) -> None:
    for field in fields(Scores):
        mine, theirs = getattr(one, field.name)[:, :count], getattr(other, field.name)[:, :count]
        assert np.array_equal(mine, theirs, equal_nan=mine.dtype.kind == "f"), field.name


@given(panels(), st.floats(0, 1))
@settings(max_examples=8, deadline=None)
def test_scores_of_a_prefix_are_the_prefix_of_the_scores(made: tuple[Floats, timedelta, int], share: float) -> None:
    values, step, first = made
    count = max(1, int(share * values.shape[1]))
    whole = score_history(panel(values, step, first), Terms())
    equal(score_history(panel(values[:, :count], step, first), Terms()), whole, count)


@given(panels(), st.sampled_from(Direction), st.sampled_from(Sensitivity), st.sampled_from([0.0, 0.5]))
@settings(max_examples=8, deadline=None)
def test_a_score_above_1_is_a_rare_value_outside_its_band_and_nothing_leaks(
    made: tuple[Floats, timedelta, int], direction: Direction, sensitivity: Sensitivity, least: float
) -> None:
    values, step, first = made
    terms = Terms(direction=direction, sensitivity=sensitivity, least_absolute=least, least_relative=least / 5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = score_history(panel(values, step, first), terms)
    scored = ~np.isnan(found.score)
    assert not (scored & ~np.isfinite(values)).any()
    for name in ("point", "sustained", "score", "expected", "lower", "upper"):
        assert np.isfinite(getattr(found, name)[scored]).all(), name
    assert (found.lower[scored] <= found.expected[scored]).all()
    assert (found.expected[scored] <= found.upper[scored]).all()
    value, anomalous = found.value, found.score > 1
    assert np.array_equal(anomalous, scored & ((value < found.lower) | (value > found.upper)))
    away = value - found.expected
    counts = {Direction.BOTH: away != 0, Direction.ABOVE: away > 0, Direction.BELOW: away < 0}[direction]
    enough = np.abs(away) > np.maximum(np.float32(least), np.float32(least / 5) * np.abs(found.expected))
    assert np.array_equal(anomalous, scored & (found.point > THRESHOLDS[sensitivity]) & counts & enough)


def test_a_drop_within_the_days_range_is_told_when_weeks_are_known() -> None:
    values = seasonal(3, 30)
    values[:, 29 * 48 + 12] *= 0.3  # midday's peak, to night's level
    found = score_history(panel(values), Terms())
    assert (found.score[:, 29 * 48 + 12] > 1).all()
    assert (found.score[:, 20 * 48 : 29 * 48] > 1).mean() < 0.002


def test_just_monday_and_just_saturday_are_not_told() -> None:
    found = score_history(panel(seasonal(6, 30, noise=0.02)), Terms())
    assert (found.score[:, 21 * 48 :] > 1).mean() < 0.001


def test_a_spike_does_not_move_the_band_of_later_days() -> None:
    calm = seasonal(1, 21)
    spiky = calm.copy()
    spiky[0, 15 * 48 + 12] *= 20
    without, with_it = (score_history(panel(each), Terms()) for each in (calm, spiky))
    assert with_it.score[0, 15 * 48 + 12] > 1
    later = slice(15 * 48 + 14, None)
    width = (without.upper - without.lower)[0, later]
    np.testing.assert_allclose(with_it.expected[0, later], without.expected[0, later], rtol=0.1)
    assert (
        np.median((with_it.upper - with_it.lower)[0, later] / width) < 1.6
    )  # the range is wider for two weeks, the tail is not


def test_a_spike_is_not_told_again_as_a_drop_a_week_later() -> None:
    values = seasonal(8, 24)
    values[:, 9 * 48 + 20] *= 8
    found = score_history(panel(values), Terms())
    assert (found.score[:, 9 * 48 + 20] > 1).all()
    for weeks in (1, 2):
        assert not (found.score[:, (9 + 7 * weeks) * 48 + 20] > 1).any()


def test_a_new_level_is_told_once_and_the_band_follows() -> None:
    values = seasonal(4, 40)
    values[:, 28 * 48 + 5 :] *= 2
    found = score_history(panel(values), Terms())
    assert (found.score[:, 28 * 48 + 5 : 28 * 48 + 12] > 1).any(axis=1).all()
    assert (found.shifted.sum(axis=1) == 1).all()
    assert (np.argmax(found.shifted, axis=1) < 34 * 48).all()
    assert (found.score[:, 33 * 48 :] > 1).mean() < 0.01


def test_no_step_is_scored_while_less_than_half_of_the_usual_day_was_seen() -> None:
    values = seasonal(1, 12)
    values[0, 10 * 48 : 10 * 48 + 40] = np.nan
    found = score_history(panel(values), Terms())
    assert np.isnan(found.score[0, 10 * 48 : 10 * 48 + 40]).all()
    assert np.isnan(found.score[0, 10 * 48 + 41 : 10 * 48 + 60]).all()
    assert np.isfinite(found.score[0, 11 * 48 + 24 :]).all()
    assert found.coverage[0, 10 * 48 + 42] < 0.5


def test_a_series_that_always_has_gaps_is_scored_all_the_same() -> None:
    values = seasonal(1, 14)
    values[0, np.random.default_rng(4).random(values.shape[1]) < 0.65] = np.nan
    found = score_history(panel(values), Terms())
    assert np.isfinite(found.score[0, 8 * 48 :]).sum() > 0.9 * np.isfinite(values[0, 8 * 48 :]).sum()


def test_maturity_grows_from_level_over_days_to_weeks() -> None:
    found = score_history(panel(seasonal(1, 16)), Terms())
    assert found.maturity[0, 0] == Maturity.COLD
    fine = score_history(panel(seasonal(1, 1, 288), timedelta(minutes=5)), Terms())
    assert fine.maturity[0, 200] == Maturity.LEVEL
    assert found.maturity[0, 3 * 48] == Maturity.DAILY
    assert found.maturity[0, 14 * 48] == Maturity.WEEKLY


def test_what_is_not_to_be_learnt_is_scored_and_leaves_no_trace() -> None:
    values = seasonal(1, 21)
    values[0, 12 * 48 : 12 * 48 + 20] *= 3
    learnt = np.ones(values.shape, dtype=bool)
    learnt[0, 12 * 48 : 12 * 48 + 20] = False
    found = score_history(panel(values, fitted=learnt), Terms())
    calm = seasonal(1, 21)
    blank = calm.copy()
    blank[~learnt] = np.nan
    expected = score_history(panel(blank), Terms())
    assert (found.score[0, 12 * 48 : 12 * 48 + 20] > 1).any()
    later = slice(13 * 48 + 24, None)
    np.testing.assert_allclose(found.upper[0, later], expected.upper[0, later], rtol=1e-5)


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_a_constant_is_no_anomaly_and_a_change_of_a_rounding_neither(value: float) -> None:
    values = np.full((1, 10 * 48), value, dtype=np.float32)
    values[0, 400] = np.nextafter(np.float32(value), np.float32(9)) if value else 0
    assert not (score_history(panel(values), Terms()).score > 1).any()


def test_counts_are_judged_by_their_root_and_stay_above_0() -> None:
    values = np.random.default_rng(3).poisson(4 * seasonal(1, 21) / 100).astype(np.float32)
    found = score_history(panel(values), Terms(values=Values.COUNT))
    assert np.nanmin(found.lower) >= 0
    assert (found.score[0, 14 * 48 :] > 1).mean() < 0.01


def test_a_counter_is_scored_as_its_rate_and_a_reset_is_no_drop() -> None:
    rates = seasonal(1, 14)
    counter = np.cumsum(rates * 1800, axis=1, dtype=np.float64)
    counter[:, 10 * 48 :] -= counter[:, 10 * 48 - 1 : 10 * 48]
    found = score_history(panel(counter.astype(np.float32)), Terms(values=Values.COUNTER))
    np.testing.assert_allclose(found.value[0, 1:], rates[0, 1:], rtol=0.02)
    assert not found.score[0, 10 * 48] > 1
