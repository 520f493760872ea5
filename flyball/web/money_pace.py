"""The pacing curve of a window, for charts: what share of a budget should have been spent by when."""

import itertools
from bisect import bisect_right
from datetime import date, datetime, time, timedelta

from controlplane.calendar.zones import instant, zone
from controlplane.model.budget import Pace
from finops.budgets.pacing import weight_between

Curve = tuple[tuple[datetime, float], ...]


def pace_course(pace: Pace, start: datetime, end: datetime) -> Curve:
    """Cumulative shares from 0 at `start` to 1 at `end`, a point for each begin of a day in the pace's time zone.

    Between two points it rises evenly. Empty for a window in which nothing is expected at all.
    """
    bounds, day = [start], start.astimezone(zone(pace.time_zone)).date()
    while (midnight := _midnight(day := day + timedelta(days=1), pace)) < end:
        bounds.append(midnight)
    bounds.append(end)
    weights = [weight_between(pace, before, after) for before, after in itertools.pairwise(bounds)]
    whole = sum(weights)
    if not whole:
        return ()
    shares = [float(so_far / whole) for so_far in itertools.accumulate(weights)]
    return ((start, 0.0), *zip(bounds[1:], shares, strict=True))


def share_at(curve: Curve, at: datetime) -> float:
    """The share at a moment; 0 before the curve and its last value after it."""
    place = bisect_right([moment for moment, _ in curve], at)
    if place == 0:
        return 0.0
    if place == len(curve):
        return curve[-1][1]
    (before, low), (after, high) = curve[place - 1], curve[place]
    return low + (high - low) * ((at - before) / (after - before))


def _midnight(day: date, pace: Pace) -> datetime:
    return instant(datetime.combine(day, time()), zone(pace.time_zone))
