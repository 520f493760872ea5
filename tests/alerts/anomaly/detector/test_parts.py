"""Medians, tails, rates and emission: each against the slow and plain way."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.anomaly.detector.emission import rising
from alerts.anomaly.detector.learnt import Learnt
from alerts.anomaly.detector.medians import median
from alerts.anomaly.detector.tails import Counts, bins_of, fitted
from alerts.anomaly.detector.values import rates


@given(st.integers(1, 30), st.integers(0, 2**32), st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_a_sorting_network_finds_the_median(width: int, seed: int, gone: float) -> None:
    random = np.random.default_rng(seed)
    stack = random.integers(-9, 9, (width, 2, 7)).astype(np.float32)
    stack[random.random(stack.shape) < gone] = np.nan
    found = median(list(stack), holes=bool(np.isnan(stack).any()))
    for place in np.ndindex(2, 7):
        column = stack[(slice(None), *place)]
        known = column[~np.isnan(column)]
        assert np.isnan(found[place]) if not known.size else found[place] == np.median(known)


@given(st.integers(0, 2**32), st.integers(1, 60), st.integers(1, 4))
@settings(max_examples=20, deadline=None)
def test_counting_at_once_or_step_by_step_is_the_same(seed: int, count: int, pieces: int) -> None:
    random = np.random.default_rng(seed)
    residual = np.exp(random.normal(0, 6, (3, count))).astype(np.float32) * (random.random((3, count)) < 0.9)
    stage, counted = random.integers(0, 3, (3, count)).astype(np.uint8), random.random((3, count)) < 0.9
    at_once, in_steps, in_pieces = (Learnt.empty(3, 48) for _ in range(3))
    for each in (at_once, in_steps, in_pieces):
        each.edge = np.array([1, 20, np.inf], dtype=np.float32)
    at_once.add(residual, residual, stage, counted)
    for at in range(count):
        in_steps.add_step(residual[:, at], residual[:, at], stage[:, at], counted[:, at])
    for part in np.array_split(np.arange(count), pieces):
        if part.size:
            in_pieces.add(residual[:, part], residual[:, part], stage[:, part], counted[:, part])
    for other in (in_steps, in_pieces):
        for one, two in zip((*at_once.events, *at_once.steps), (*other.events, *other.steps), strict=True):
            reached = one.together(Counts.empty(3)), two.together(Counts.empty(3))
            top = np.maximum(reached[0].top, reached[1].top)
            for counts in reached:
                counts.reach(top)
            assert np.array_equal(reached[0].counts, reached[1].counts)


def test_what_goes_on_counts_as_few() -> None:
    state = Learnt.empty(1, 48)
    state.edge[:] = 10
    residual = np.ones((1, 40), dtype=np.float32)
    residual[0, 5:36] = 50
    state.add(residual, residual, np.full((1, 40), 2, dtype=np.uint8), np.ones((1, 40), dtype=bool))
    assert state.steps[2].counts.sum() == 40
    assert state.events[2].counts.sum() == 9 + 5  # the first, second, fourth, eighth and sixteenth of 31


def test_rarity_grows_with_the_residual_and_its_inverse_gives_it_back() -> None:
    residuals = np.abs(np.random.default_rng(1).standard_t(3, (1, 5000))).astype(np.float32)
    counts = Counts.empty(1)
    counts.add(bins_of(residuals), np.ones(residuals.shape, dtype=bool))
    tail = fitted(counts, pareto=True)
    grid = np.geomspace(1e-3, 1e4, 200, dtype=np.float32)[None]
    rarity = tail.rarity(grid)[0]
    assert (np.diff(rarity) >= 0).all()
    assert abs(tail.rarity(np.quantile(residuals, [[0.9]]).astype(np.float32))[0, 0] - 1) < 0.05
    for wanted in (0.5, 1.7, 3.0, 3.87, 4.1):
        assert abs(tail.rarity(tail.residual(wanted)[:, None])[0, 0] - wanted) < 0.01


def test_a_rate_knows_resets_and_gaps() -> None:
    counter = np.array([[10, 70, np.nan, 190, 30, 90, *[np.nan] * 6, 900]], dtype=np.float32)
    found = rates(counter, 60)
    np.testing.assert_allclose(found[0, :6], [np.nan, 1, np.nan, 1, 0.5, 1])
    assert np.isnan(found[0, 6:]).all()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(0, 45))
def test_only_what_exceeds_the_refractory_time_is_emitted(scores: list[int], refractory: int) -> None:
    found = rising(np.array([scores], dtype=np.float32), refractory)[0]
    for at, score in enumerate(scores):
        before = max(scores[max(at - refractory, 0) : at], default=0)
        assert found[at] == (score if score > before else 0)
