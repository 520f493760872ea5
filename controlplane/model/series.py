"""What a metrics backend answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one series. `value` may be NaN or infinite: the reader decides what that means."""

    labels: Mapping[str, str]
    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """Values of one series in time order; steps where the backend had nothing are absent, not zero."""

    labels: Mapping[str, str]
    points: tuple[tuple[datetime, float], ...]
