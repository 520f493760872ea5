"""Whether Alertmanager takes a moment to lie in its time intervals: its `timeinterval.go`, in Python.

The differences between our YAML and what it means there are what tests look for, so nothing of ours is used.
"""

import calendar
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


def contains(intervals: list[dict[str, Any]], at: datetime) -> bool:
    """`at` is aware."""
    return any(_contains(interval, at) for interval in intervals)


def _contains(interval: dict[str, Any], at: datetime) -> bool:
    at = at.astimezone(ZoneInfo(interval.get("location", "UTC")))
    minutes = at.hour * 60 + at.minute
    if "times" in interval and not any(
        _minutes(times["start_time"]) <= minutes < _minutes(times["end_time"]) for times in interval["times"]
    ):
        return False
    length = calendar.monthrange(at.year, at.month)[1]
    if "days_of_month" in interval and not any(
        start <= at.day <= min(end, length) for start, end in map(_range, interval["days_of_month"])
    ):
        return False
    if "months" in interval and not any(start <= at.month <= end for start, end in map(_range, interval["months"])):
        return False
    if "years" in interval and not any(start <= at.year <= end for start, end in map(_range, interval["years"])):
        return False
    return "weekdays" not in interval or (at.isoweekday() % 7) in [_WEEKDAYS.index(day) for day in interval["weekdays"]]


def _range(text: str) -> tuple[int, int]:
    start, _, end = text.partition(":")
    return int(start), int(end or start)


def _minutes(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)
