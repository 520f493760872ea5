"""What a metrics backend remembers of single requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One observation of a series, with labels of its own, such as `trace_id`. `value` may be NaN."""

    series: Mapping[str, str]
    labels: Mapping[str, str]
    at: datetime
    value: float
