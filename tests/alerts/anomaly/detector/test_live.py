"""What a live model promises: step by step what a past is scored at once; kept, and taken up again."""

from dataclasses import fields
from datetime import timedelta

import numpy as np
import pytest

from alerts.anomaly.detector.history import score_history
from alerts.anomaly.detector.live import Carried, FittedModel, StepScores, fit, unpack
from alerts.anomaly.detector.model import NEVER, Floats, Panel, Scores, Terms
from alerts.anomaly.detector.settings import refit_steps
from alerts.anomaly.model import Values
from tests.alerts.anomaly.detector.series import HALF_HOUR, panel, seasonal, until

AHEAD = 60


def differs(step: StepScores, whole: Scores, place: int, rows: slice = slice(None)) -> list[str]:
    """Names of what is not the same, but for float32's last digits."""
    return [
        field.name
        for field in fields(StepScores)
        if not np.allclose(
            getattr(step, field.name)[rows].astype(float),
            getattr(whole, field.name)[rows, place].astype(float),
            rtol=1e-4,
            atol=1e-4,
            equal_nan=True,
        )
    ]


def mixed(days: int, per_day: int) -> Floats:
    """Ordinary and odd series together."""
    values = seasonal(8, days, per_day)
    random = np.random.default_rng(2)
    values[1] = 7
    values[2] = np.nan
    values[3, random.random(values.shape[1]) < 0.3] = np.nan
    values[3, -3 * per_day : -2 * per_day] = np.nan
    values[4] = random.integers(0, 2, values.shape[1])
    values[5, values.shape[1] // 2 :] *= 3
    values[6, : values.shape[1] // 2] = np.nan
    values[7, -per_day // 2] *= 50
    return values


@pytest.mark.parametrize(
    ("minutes", "days", "first", "kind"),
    [
        (30, 18, -5000, Values.GAUGE),
        (60, 24, 77, Values.COUNT),
        (15, 9, 123_456, Values.COUNTER),
    ],
)
def test_steps_one_by_one_give_what_the_past_gives_at_once(minutes: int, days: int, first: int, kind: Values) -> None:
    step, terms = timedelta(minutes=minutes), Terms(values=kind)
    values = mixed(days, 1440 // minutes)
    if kind is Values.COUNTER:
        values = np.cumsum(np.nan_to_num(values), axis=1).astype(np.float32) % np.float32(5e4)
    whole = panel(values, step, first, AHEAD)
    scores = score_history(whole, terms)
    every, count = refit_steps(step), values.shape[1]
    start = count - 1440 // minutes
    start -= (first + start) % every
    model = fit(until(whole, start, AHEAD), terms)
    for place in range(start, count):
        if place > start and (first + place) % every == 0:
            model = fit(until(whole, place, AHEAD), terms, unpack(model.pack()).carried())
        assert differs(model.score(values[:, place], first + place), scores, place) == []


def fitted(values: Floats) -> tuple[FittedModel, Panel]:
    made = panel(values, ahead=20)
    return fit(made, Terms()), made


def test_a_packed_model_goes_on_to_the_bit() -> None:
    model, _ = fitted(mixed(10, 48))
    copy = unpack(model.pack())
    for step in range(3):
        values = np.linspace(0, 200, 8, dtype=np.float32)
        one, other = (each.score(values, 480 + step) for each in (model, copy))
        for field in fields(StepScores):
            assert np.array_equal(getattr(one, field.name), getattr(other, field.name), equal_nan=True)
    assert copy.pack() == model.pack()


@pytest.mark.parametrize(
    "damage", [lambda body: body[:-20], lambda body: b"x" + body, lambda body: b"", lambda body: body[:40]]
)
def test_what_is_no_packed_model_is_refused(damage) -> None:  # type: ignore[no-untyped-def]
    model, _ = fitted(seasonal(1, 4))
    with pytest.raises(ValueError, match="no packed model"):
        unpack(damage(model.pack()))


def test_a_model_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model, _ = fitted(seasonal(1, 4))
    body = model.pack()
    monkeypatch.setattr("alerts.anomaly.detector.packing.MODEL_VERSION", 999)
    with pytest.raises(ValueError, match="version"):
        unpack(body)


def test_steps_that_are_left_out_are_missing() -> None:
    values = seasonal(2, 8)
    one, other = fitted(values)[0], fitted(values)[0]
    nothing = np.full(2, np.nan, dtype=np.float32)
    other.score(nothing, 8 * 48)
    last = values[:, -47]
    assert np.array_equal(one.score(last, 8 * 48 + 1).score, other.score(last, 8 * 48 + 1).score)


def test_a_step_that_is_past_or_too_far_is_refused() -> None:
    model, _ = fitted(seasonal(1, 8))
    assert (model.next_index, model.good_until) == (8 * 48, 8 * 48 + 20)
    for index in (8 * 48 - 1, 8 * 48 + 20):
        with pytest.raises(ValueError, match="is not in"):
            model.score(np.zeros(1, dtype=np.float32), index)


def test_series_come_and_go_between_fits() -> None:
    values = seasonal(3, 16)
    whole = panel(values, ahead=AHEAD)
    before = fit(until(panel(values[:2], ahead=AHEAD), 15 * 48, AHEAD), Terms())
    for place in range(15 * 48, 15 * 48 + 24):
        before.score(values[:2, place], place)
    carried = before.carried().rearranged(np.array([1, -1, 0]))
    assert carried.began.tolist() == [0, NEVER, 0]
    order = panel(values[[1, 2, 0]], ahead=AHEAD)
    model = fit(until(order, 15 * 48 + 24, AHEAD), Terms(), carried)
    scores = score_history(whole, Terms())
    step = model.score(values[[1, 2, 0], 15 * 48 + 24], 15 * 48 + 24)
    np.testing.assert_allclose(step.score, scores.score[[1, 2, 0], 15 * 48 + 24], rtol=1e-3)


def test_the_all_time_range_outlives_the_ring_buffer() -> None:
    values = seasonal(1, 60)
    values[0, 100] = 5000
    early = fit(until(panel(values, ahead=AHEAD), 20 * 48, AHEAD), Terms())
    late = panel(values[:, 30 * 48 :], first=30 * 48, ahead=AHEAD)
    assert fit(late, Terms(), early.carried()).carried().highest[0] == 5000


def test_another_number_of_series_is_refused() -> None:
    model, _ = fitted(seasonal(2, 5))
    with pytest.raises(ValueError, match="2 series"):
        fit(panel(seasonal(3, 5)), Terms(), model.carried())


def test_nothing_is_known_of_no_series() -> None:
    model = fit(panel(np.zeros((0, 96), dtype=np.float32), HALF_HOUR, ahead=5), Terms())
    assert model.series == 0
    assert isinstance(model.carried(), Carried)
    assert model.score(np.zeros(0, dtype=np.float32), 96).score.shape == (0,)
