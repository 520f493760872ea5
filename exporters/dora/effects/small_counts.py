"""How many bad events the time after a deployment would have had by chance, where there are few of them."""

import math
from typing import Final

FEW: Final = 50.0  # expected events; with more, what the past shows and the normal distribution agree with this
_MOST: Final = 2_000


def predicted_counts(seen: float, ratio: float, confidence: float) -> tuple[float, float]:
    """An interval of the count to come, after `seen` events in a time that had 1 ÷ `ratio` times its traffic.

    Events come one by one (Poisson) at an unknown rate that is no different in the two times: the prediction of
    Jeffreys' prior, a negative binomial with `seen` + 1/2 successes (Gelman et al., Bayesian Data Analysis, 2.6).
    Each tail holds at most (1 − `confidence`) / 2. `seen` may be a fraction: ledgers hold rates × time.
    """
    size, tail = seen + 0.5, (1 - confidence) / 2
    success = 1 / (1 + ratio)
    probability = math.exp(size * math.log(success))
    below, low = 0.0, None
    for count in range(_MOST):
        if low is None and below + probability > tail:
            low = count
        below += probability
        if below >= 1 - tail:
            return float(low or 0), float(count)
        probability *= (size + count) / (count + 1) * (1 - success)
    return float(low or 0), float(_MOST)
