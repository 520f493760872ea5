"""Lengths of time as probes write them: `500ms`, `2.5s`, `5m`, `1h`."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Final

_LENGTH: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|s|m|h)")
_MICROSECONDS: Final = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}
HINT: Final = "a number and ms, s, m or h, as in 500ms or 30s"


def parse_length(text: str) -> timedelta | None:
    """The length that a text says; None when it says none."""
    match = _LENGTH.fullmatch(text)
    return timedelta(microseconds=int(Decimal(match[1]) * _MICROSECONDS[match[2]])) if match else None


def shown_length(length: timedelta) -> str:
    """In the largest unit that keeps it whole: `1500ms`, `90s`, `5m`."""
    microseconds = length // timedelta(microseconds=1)
    for unit in ("h", "m", "s"):
        if microseconds and microseconds % _MICROSECONDS[unit] == 0:
            return f"{microseconds // _MICROSECONDS[unit]}{unit}"
    return f"{microseconds / _MICROSECONDS['ms']:.9g}ms"
