"""One alarm for one thing where there is no hysteresis: what a benchmark asks for that scores every step by itself."""

import numpy as np

from alerts.anomaly.detector.model import Floats


def rising(scores: Floats, refractory_steps: int) -> Floats:
    """Scores (S, T) that exceed the largest of the refractory time before them; 0 elsewhere, also where there is none.

    Causal: it looks back only. (The daemon's episodes open and close instead: `alerts.anomaly.episodes`.)
    """
    known = np.where(np.isfinite(scores), scores, np.float32(0)).astype(np.float32)
    return np.where(known > largest_before(known, refractory_steps), known, np.float32(0))


def largest_before(values: Floats, steps: int) -> Floats:
    """The largest of the `steps` values before each (S, T); 0 before the first. By doubling windows."""
    series, count = values.shape
    if steps <= 0:
        return np.zeros_like(values)
    padded = np.concatenate([np.zeros((series, steps), dtype=values.dtype), values], axis=1)
    width, largest = 1, padded
    while width * 2 <= steps:
        largest = np.maximum(largest[:, width:], largest[:, :-width])
        width *= 2
    # windows of `width` beginning at each place; two of them cover `steps`
    first, second = largest[:, :count], largest[:, steps - width : steps - width + count]
    both: Floats = np.maximum(first, second)
    return both
