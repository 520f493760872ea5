"""Moments and lengths as people write them in YAML."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from controlplane.calendar.zones import instant

_LENGTH: Final = re.compile(r"([0-9]{1,6})([smhdw])")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_MOMENT: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2}))?)?(Z|[-+]\d{2}:\d{2})?", re.ASCII
)  # the seconds and the offset may be left out


def length_of(text: str) -> timedelta | None:
    """`15m`, `1h`, `7d`; None for what is no length."""
    match = _LENGTH.fullmatch(text)
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]]) if match else None


def moment_of(text: str, zone: ZoneInfo) -> datetime | None:
    """`2026-12-05 22:00` by the clocks of `zone`, or with an offset of its own; in UTC. None for what is no moment."""
    match = _MOMENT.fullmatch(text.strip())
    if match is None or (match[4] and not match[2]):
        return None
    day, clock, second, offset = match.groups()
    try:
        local = datetime.fromisoformat(f"{day}T{clock or '00:00'}:{second or '00'}")
        if offset is None:
            return instant(local, zone)
        return datetime.fromisoformat(f"{local.isoformat()}{'+00:00' if offset == 'Z' else offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
