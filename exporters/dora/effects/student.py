"""Quantiles of the normal and of Student's distribution."""

import math
from statistics import NormalDist

_ONE = 1
_TWO = 2


def normal(confidence: float) -> float:
    """The half-width, in standard deviations, that holds `confidence` of a normal distribution."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def student(confidence: float, degrees: float) -> float:
    """The same of Student's t; off by less than 1 % from 3 degrees on.

    Exact for 1 and 2 degrees; beyond by G. W. Hill, Algorithm 396 (Communications of the ACM 13, 1970).
    """
    tails = 1 - confidence
    if degrees <= _ONE:
        return 1 / math.tan(tails * math.pi / 2)
    if degrees <= _TWO:
        return math.sqrt(2 / (tails * (2 - tails)) - 2)
    a = 1 / (degrees - 0.5)
    b = 48 / (a * a)
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * math.sqrt(a * math.pi / 2) * degrees
    y = (d * tails) ** (2 / degrees)
    if y > 0.05 + a:
        x = NormalDist().inv_cdf(tails / 2)
        y = x * x
        if degrees < 5:
            c += 0.3 * (degrees - 4.5) * (x + 0.6)
        c = (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b + c
        y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
        y = math.expm1(a * y * y)
    else:
        y = ((1 / (((degrees + 6) / (degrees * y) - 0.089 * d - 0.822) * (degrees + 2) * 3) + 0.5 / (degrees + 4)) * y
             - 1) * (degrees + 1) / (degrees + 2) + 1 / y  # fmt: skip
    return math.sqrt(degrees * y)
