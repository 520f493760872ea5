"""Values of a range vector whose range is not full of samples: after a gap they rise from nothing, and mean nothing.

`rate(x[5m])` divides by five minutes however short the part of them is that has samples. After a gap of the whole range
(a step without a value) it needs five minutes until it is right again; until then it is neither scored nor learnt from.
"""

import re
from datetime import timedelta
from typing import Final

import numpy as np

from alerts.anomaly.detector.model import Floats
from controlplane.promql_tokens import tokens_of

_PART: Final = re.compile(r"(\d+)(ms|[smhdwy])")
_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_RANGE: Final = re.compile(r"\[\s*([0-9a-z]+)\s*(?::\s*[0-9a-z]*\s*)?\]")
_QUOTES: Final = ("'", '"', "`")


def longest_range(query: str) -> timedelta:
    """The longest range of an expression's range vectors and subqueries; zero without any."""
    plain = "".join(text for text in (each.text for each in tokens_of(query)) if not text.startswith(_QUOTES))
    found = [_length(written) for written in _RANGE.findall(plain)]
    return max(found, default=timedelta(0))


def complete(values: Floats, steps: int) -> Floats:
    """(S, T) with NaN also where one of the `steps` before has none; the first column is taken to follow a full one."""
    if not steps or not values.shape[1]:
        return values
    missing = np.isnan(values)
    places = np.arange(values.shape[1])
    last = np.maximum.accumulate(np.where(missing, places, -1 - steps), axis=1)
    return np.where(places - last <= steps, np.float32(np.nan), values)


def _length(written: str) -> timedelta:
    return timedelta(seconds=sum(int(count) * _SECONDS[unit] for count, unit in _PART.findall(written)))
