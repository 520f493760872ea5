"""The metrics of one scope out of columns. What all scopes need is computed once."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from exporters.dora.measuring import days as calendar
from exporters.dora.measuring import statistics
from exporters.dora.measuring.loading import Columns, Place
from exporters.dora.model import NOTHING, Distribution, DoraMetrics, Frequency, Scope, Stage, Week
from exporters.dora.policy.model import DeliveryPolicy
from exporters.dora.sheets.columns import OPEN, STAGES, UNKNOWN

Coverage = Mapping[tuple[str, str], datetime]  # by service and environment: the first thing known of it
_TENTH: Final = 10
_MEDIAN: Final = Decimal("0.5")
_PLACES: Final = Decimal("0.000001")
_SHIFT: Final = 32  # a duration has 31 bits


class Measurer:
    """Measures places of columns."""

    def __init__(self, columns: Columns, policy: DeliveryPolicy, coverage: Coverage) -> None:
        self._columns = columns
        self._coverage = coverage
        zone = ZoneInfo(policy.time_zone)
        here = (columns.origin, columns.start, columns.end, zone)
        self._days = calendar.days(*here)
        weeks = calendar.weeks(*here)
        self._mondays = weeks.mondays
        self._day = self._days.of(columns.deployed).astype(np.int32)
        self._deployed_week = weeks.of(columns.deployed).astype(np.int32)
        self._delivered_week = weeks.of(columns.delivered).astype(np.int32)

    def of(self, place: Place, scope: Scope, places: Sequence[Place]) -> DoraMetrics:
        """Of the rows of one place."""
        columns = self._columns
        failed = columns.failure[place.deployments] != 0
        recovery = columns.recovery[place.deployments]
        restore = columns.restore[place.incidents]
        lead = columns.lead[place.changes]
        count = len(failed)
        coverage = self._covered(place, scope, places)
        return DoraMetrics(
            scope=scope,
            start=columns.start,
            end=columns.end,
            lead_time=statistics.distribution(lead),
            stages=self._stages(place),
            frequency=self._frequency(place, coverage),
            recovery_time=statistics.distribution(recovery),
            fail_rate=statistics.rate(int(failed.sum()), count),
            rework_rate=statistics.rate(int(np.count_nonzero(columns.rework[place.deployments])), count),
            restore_time=statistics.distribution(restore),
            open_failures=int(np.count_nonzero(recovery == OPEN)),
            open_incidents=int(np.count_nonzero(restore == OPEN)),
            changes_without_start=int(np.count_nonzero(lead == UNKNOWN)),
            deployments_without_changes=int(np.count_nonzero(columns.unexplained[place.deployments])),
            coverage_from=coverage,
            weeks=self._trend(place),
        )

    def _stages(self, place: Place) -> Mapping[Stage, Distribution]:
        columns = zip(STAGES, self._columns.stages, strict=True)
        return {stage: statistics.distribution(column[place.changes]) for stage, column in columns}

    def _covered(self, place: Place, scope: Scope, places: Sequence[Place]) -> datetime | None:
        """The first thing known of any of them, or in these columns."""
        pairs = [(one.service, one.environment) for one in places] or [(scope.service, scope.environment)]
        known = [self._coverage[pair] for pair in pairs if pair in self._coverage]
        rows = self._columns.deployed[place.deployments]
        if len(rows):
            known.append(self._columns.origin + timedelta(seconds=int(rows.min())))
        return min(known, default=None)

    def _frequency(self, place: Place, coverage: datetime | None) -> Frequency:
        all_days = np.bincount(self._day[place.deployments], minlength=self._days.count)
        unknown = self._days_before(coverage)
        counts = all_days[unknown:]
        total = int(counts.sum())
        is_known = total or (coverage is not None and coverage < self._columns.end)
        gap, longest = self._gaps(place)
        return Frequency(
            per_day=statistics.per_day(counts, self._days.length - unknown) if is_known else NOTHING,
            deployments=total,
            days=len(counts),
            active_days=int(np.count_nonzero(counts)),
            releases=_releases(self._columns.run[place.deployments]),
            median_gap=gap,
            longest_gap=longest,
            burst=_burst(counts) if total > 1 else None,
        )

    def _days_before(self, coverage: datetime | None) -> int:
        """Whole days at the window's beginning of which nothing can be known; a week at its end always counts."""
        if coverage is None or coverage <= self._columns.start:
            return 0
        seconds = (min(coverage, self._columns.end) - self._columns.origin) // timedelta(seconds=1)
        day = int(self._days.of(np.array([seconds], dtype=np.int64))[0])
        return max(min(day, self._days.count - statistics.FEWEST_DAYS), 0)

    def _gaps(self, place: Place) -> tuple[timedelta | None, timedelta | None]:
        times = self._columns.deployed[place.deployments]
        if len(times) < 2:
            return None, None
        gaps = np.sort(np.diff(times if place.service else np.sort(times)))
        return timedelta(seconds=float(statistics.interpolated(gaps, _MEDIAN))), timedelta(seconds=int(gaps[-1]))

    def _trend(self, place: Place) -> tuple[Week, ...]:
        columns, here, count = self._columns, place.deployments, len(self._mondays)
        week = self._deployed_week[here]
        recovery = columns.recovery[here]
        failed, rework = columns.failure[here] != 0, columns.rework[here] != 0
        sums = [np.bincount(rows, minlength=count) for rows in (week, week[failed], week[rework])]
        leads = _medians(self._delivered_week[place.changes], columns.lead[place.changes], count)
        recoveries = _medians(week[failed], recovery[failed], count)
        return tuple(
            Week(monday, int(sums[0][at]), int(sums[1][at]), int(sums[2][at]), leads[at], recoveries[at])
            for at, monday in enumerate(self._mondays)
        )


def _medians(weeks: npt.NDArray[np.int32], durations: npt.NDArray[np.int32], count: int) -> list[Decimal | None]:
    """Of each week; sorted once, by week and duration."""
    known = durations >= 0
    keys = np.sort((weeks[known].astype(np.int64) << _SHIFT) | durations[known])
    ends = np.searchsorted(keys, np.arange(count + 1, dtype=np.int64) << _SHIFT)
    found: list[Decimal | None] = []
    for first, last in pairwise(ends.tolist()):
        middle = keys[(first + last - 1) // 2 : (first + last) // 2 + 1] & (2**_SHIFT - 1)
        found.append(statistics.interpolated(middle.astype(np.int32), _MEDIAN) if last > first else None)
    return found


def _releases(runs: npt.NDArray[np.uint64]) -> int:
    """Those of one run are one; each without is one of its own."""
    named = runs[runs != 0]
    return len(runs) - len(named) + (len(np.unique(named)) if len(named) else 0)


def _burst(counts: npt.NDArray[np.intp]) -> Decimal:
    """The share of the busiest tenth of days, rounded up to whole days."""
    busiest = np.sort(counts)[::-1][: math.ceil(len(counts) / _TENTH)]
    return (Decimal(int(busiest.sum())) / int(counts.sum())).quantize(_PLACES).normalize()
