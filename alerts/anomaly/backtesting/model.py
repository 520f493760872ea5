"""What a detector would have told in the past."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alerts.anomaly.detector.model import Floats
from alerts.anomaly.model import AnomalyDetector
from controlplane.model.anomaly import Episode

MONTH: Final = timedelta(days=30.4375)
ALARMS: Final = ("point", "sustained", "level_shift")  # kinds of episodes that page; a gap is another signal


@dataclass(frozen=True, slots=True)
class Past:
    """Series on a grid: `values` (S, T), NaN where there is no sample; column i is step `first` + i since the epoch."""

    labels: tuple[Mapping[str, str], ...]
    first: int
    step: timedelta
    values: Floats
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Curve:
    """A series from `start` on, for charts: arrays (T,), NaN where there is none."""

    series: str
    start: datetime
    step: timedelta
    values: Floats
    expected: Floats
    lower: Floats
    upper: Floats
    score: Floats


@dataclass(frozen=True, slots=True)
class Backtest:
    """Of one definition. `episodes` in the order of their starts; `curves` are those of the series with most of them.

    `scored` is the sum of the series' times that had a score; `series` counts series, `groups` aggregates beside them.
    """

    label: str
    detector: AnomalyDetector
    since: datetime
    until: datetime
    series: int
    groups: int
    scored: timedelta
    episodes: tuple[Episode, ...]
    curves: tuple[Curve, ...]
    warnings: tuple[str, ...] = ()

    @property
    def alarms(self) -> tuple[Episode, ...]:
        """Episodes that alert: all but gaps."""
        return tuple(each for each in self.episodes if each.kind in ALARMS)

    @property
    def alarms_per_series_month(self) -> float | None:
        """Alarms ÷ months of scored time; None where nothing was scored."""
        months = self.scored / MONTH
        return len(self.alarms) / months if months else None

    @property
    def open_time(self) -> timedelta:
        """How long anomalies were open, in all."""
        spans = [(each.ended_at or self.until) - each.started_at for each in self.alarms]
        return sum(spans, timedelta(0))
