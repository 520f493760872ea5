"""Durations of a ladder: what they may be."""

import re
from datetime import timedelta
from typing import Final, NamedTuple

from controlplane.burn_rate import duration
from finops.flags.report import Report

_LENGTH: Final = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS: Final = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_SECOND, _MINUTE, _HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Bounds(NamedTuple):
    """The least and the most, and what is gone on with where something else was written."""

    least: timedelta
    most: timedelta
    standard: timedelta


EVERY: Final = Bounds(_SECOND, _HOUR, _MINUTE)
STALE_AFTER: Final = Bounds(10 * _SECOND, DAY, 5 * _MINUTE)
WINDOW: Final = Bounds(5 * _MINUTE, 90 * DAY, _HOUR)
DWELL: Final = Bounds(_SECOND, 7 * DAY, 15 * _MINUTE)
EXPIRES: Final = Bounds(_MINUTE, 365 * DAY, DAY)
COOL_DOWN: Final = Bounds(_SECOND, 7 * DAY, 30 * _MINUTE)
RETRY_AFTER: Final = Bounds(_SECOND, DAY, 15 * _MINUTE)
VISIBLE_WITHIN: Final = Bounds(_SECOND, 10 * _MINUTE, 30 * _SECOND)
SETTLE: Final = Bounds(timedelta(0), 10 * _MINUTE, 10 * _SECOND)


def length(report: Report, at: tuple[str | int, ...], text: str, bounds: Bounds) -> timedelta:
    """The duration that is written there. When it is none, or none that may be, that is told; its standard then."""
    match = _LENGTH.fullmatch(text)
    if match is None:
        report.error(*at, message=f"`{text}` is not a duration", hint="a number and s, m, h or d, as in 30s or 15m")
        return bounds.standard
    found = int(match[1]) * _UNITS[match[2]]
    if not bounds.least <= found <= bounds.most:
        report.error(*at, message=f"must be between {duration(bounds.least)} and {duration(bounds.most)}, is {text}")
        return bounds.standard
    return found
