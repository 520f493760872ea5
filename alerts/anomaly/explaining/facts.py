"""Figures of one step out of the detector's arrays."""

import math
from datetime import UTC, datetime, timedelta
from typing import Final

from alerts.anomaly.detector.model import Floats, Grid, Panel, Scores
from alerts.anomaly.explaining.model import Channels, Earlier, StepFacts
from alerts.anomaly.model import BASELINES, Maturity

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def time_of(grid: Grid, index: int) -> datetime:
    """When step `index` of the grid begins, in UTC."""
    return _EPOCH + (grid.first + index) * grid.step


def length_of(grid: Grid, steps: int) -> timedelta:
    """How long so many steps are."""
    return steps * grid.step


def step_facts(panel: Panel, scores: Scores, row: int, index: int) -> StepFacts:
    """Of one step; `scores` are those of the whole panel."""

    def at(array: Floats) -> float | None:
        return _number(float(array[row, index]))

    code = int(scores.baseline[row, index])
    return StepFacts(
        at=time_of(panel.grid, index),
        value=at(panel.values),
        expected=at(scores.expected),
        lower=at(scores.lower),
        upper=at(scores.upper),
        point=at(scores.point),
        sustained=at(scores.sustained),
        score=at(scores.score),
        sustained_score=at(scores.sustained_score),
        channels=Channels(at(scores.seasonal), at(scores.slow), at(scores.range_all), at(scores.range_recent)),
        baseline=BASELINES[code] if code < len(BASELINES) else "",
        maturity=Maturity(int(scores.maturity[row, index])),
        is_shift=bool(scores.shifted[row, index]),
    )


def same_phase(panel: Panel, row: int, index: int) -> tuple[Earlier, ...]:
    """The last seven comparable days, then the last four comparable weeks, nearest first, without repetitions."""
    found: dict[int, Earlier] = {}
    for lags, is_weekly in ((panel.phases.daily[index], False), (panel.phases.weekly[index], True)):
        for lag in (int(each) for each in lags):
            place = index - lag
            if lag > 0 and place >= 0 and place not in found:
                value = _number(float(panel.values[row, place]))
                found[place] = Earlier(time_of(panel.grid, place), value, is_weekly)
    return tuple(found.values())


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
