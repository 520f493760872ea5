"""Durations as Prometheus writes them: `1h30m`, `4w`, `200ms`."""

import re
from datetime import timedelta
from typing import Final

_UNITS: Final = {
    "y": timedelta(days=365),
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_DURATION: Final = re.compile("".join(rf"(?:([0-9]{{1,12}}){unit}(?![a-z]))?" for unit in _UNITS))


def prometheus_duration(text: str) -> tuple[timedelta, str]:
    """A length, or why it is none; never zero. Source: prometheus/common, model.ParseDuration."""
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        return timedelta(0), f"`{text[:40]}` is not a duration: a whole number and a unit, as in 30d, 4w or 1h30m"
    try:
        length = sum((int(count or 0) * unit for count, unit in zip(match.groups(), _UNITS.values(), strict=True)),
                     timedelta(0))  # fmt: skip
    except OverflowError:
        return timedelta(0), f"`{text[:40]}` is too long"
    return (length, "") if length else (length, "must be longer than nothing")
