"""Scores of a whole past, each from what came before it."""

import numpy as np

from alerts.anomaly.detector.model import Panel, Scores, Terms
from alerts.anomaly.detector.settings import THRESHOLDS


def score_history(panel: Panel, terms: Terms) -> Scores:
    """Score every step by what came before it, as the daemon would have: scores of a prefix are the prefix of these.

    Shapes (S, T). A step without a sample, and one with less than half of the past day's samples, has no score (NaN).
    """
    values = panel.values.astype(np.float64)
    series, count = values.shape
    lags = panel.phases.daily[:count]
    steps = np.arange(count)[:, None]
    past = np.where(lags > 0, values[:, np.maximum(steps - lags, 0)], np.nan)
    with np.errstate(all="ignore"):
        known = np.isfinite(past)
        expected = np.where(known, past, 0).sum(axis=2) / np.where(known.any(axis=2), known.sum(axis=2), np.nan)
        away = np.abs(values - expected)
        seen = np.isfinite(away)
        mean = np.cumsum(np.where(seen, away, 0), axis=1) / np.maximum(np.cumsum(seen, axis=1), 1)
        half = np.maximum(4 * np.concatenate([np.full((series, 1), np.nan), mean[:, :-1]], axis=1), 1e-9)
        score = away / half
    threshold = THRESHOLDS[terms.sensitivity]
    floats = {
        "point": score * threshold,
        "sustained": score * threshold,
        "score": score,
        "sustained_score": score,
        "expected": expected,
        "lower": expected - half,
        "upper": expected + half,
        "seasonal": score,
        "slow": score,
        "range_all": np.zeros_like(score),
        "range_recent": np.zeros_like(score),
        "coverage": np.ones_like(score),
    }
    codes = np.where(np.isfinite(score), 2, 0).astype(np.uint8)
    return Scores(
        **{name: value.astype(np.float32) for name, value in floats.items()},
        baseline=codes,
        maturity=codes,
        shifted=np.zeros(values.shape, dtype=bool),
    )
