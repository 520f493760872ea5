"""Numbers and times as people say them: three significant digits, units spelled, nothing made up for missing data."""

import math
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

MISSING: Final = "no data"
_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"))
_YEAR_SECONDS: Final = 365 * 86400
_TEN_THOUSAND: Final = 10_000
_HUNDRED: Final = 100
_FLOAT_NOISE: Final = 1e-9
_TEN: Final = 10
_MONEY_DIGITS: Final = 3
_MOST_PLACES: Final = 12
_HALF_OF_LAST: Final = 0.005  # 9.996 is written with three digits as 10.0


def percent(ratio: float | None) -> str:
    """0.1834 → `18.3 %`, 0.18 → `18 %`; None and NaN → `no data`."""
    return MISSING if ratio is None or not math.isfinite(ratio) else f"{significant(ratio * 100)} %"


def aligned_percent(ratio: float | None) -> str:
    """For columns: always three digits, so that figures stand under one another: 0.18 → `18.0 %`, 0.0005 → `0.05 %`."""
    if ratio is None or not math.isfinite(ratio):
        return MISSING
    value = ratio * 100
    places = 2 if abs(value) < _TEN - _HALF_OF_LAST else 1 if abs(value) < _HUNDRED - 10 * _HALF_OF_LAST else 0
    return f"{_signed(f'{value:.{places}f}')} %"


def good_percent(ratio: float | None) -> str:
    """A share that is nearly all: as many digits as tell two of what is missing: 0.99973 → `99.973 %`."""
    if ratio is None or not math.isfinite(ratio):
        return MISSING
    missing = abs(1 - ratio) * 100
    places = 1 - math.floor(math.log10(missing)) if missing > _FLOAT_NOISE else 0
    text = f"{ratio * 100:.{min(max(places, 1), 6)}f}"
    return f"{_signed(text.rstrip('0').rstrip('.') if '.' in text else text)} %"


def exact_percent(ratio: Decimal) -> str:
    """A ratio that somebody wrote, digit for digit: 0.9995 → `99.95 %`."""
    text = f"{ratio * 100:f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def significant(value: float, digits: int = 3) -> str:
    """Three significant digits, without exponent, trailing zeros or a minus before zero; large numbers keep all."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    text = f"{value:.{min(places, digits + 3)}f}"
    return _signed(text.rstrip("0").rstrip(".") if "." in text else text)


def _signed(text: str) -> str:
    """With a proper minus sign, and none before zero."""
    return text.replace("-", "−") if text.strip("-0.") else text.removeprefix("-")


def times(rate: float | None) -> str:
    """A burn rate: 14.42 → `14.4×`."""
    return MISSING if rate is None or not math.isfinite(rate) else f"{significant(rate)}×"


def count(events: float | None) -> str:
    """Events: 1234567.8 → `1,234,568`; below ten thousand three significant digits."""
    if events is None or not math.isfinite(events):
        return MISSING
    return f"{events:,.0f}" if abs(events) >= _TEN_THOUSAND else significant(events)


def money(amount: Decimal | float | None, currency: str) -> str:
    """An amount with its currency: 12345.678 → `12,346 USD`, 0.09561 → `0.0956 USD`; None and NaN → `no data`.

    Three significant digits; whole units with all of theirs and thousands separators.
    """
    if amount is None or not math.isfinite(amount):
        return MISSING
    exact = amount if isinstance(amount, Decimal) else Decimal(repr(amount))
    places = max(_MONEY_DIGITS - 1 - exact.adjusted(), 0) if exact else 0
    text = f"{exact:,.{min(places, _MOST_PLACES)}f}"
    return f"{_signed(text.rstrip('0').rstrip('.') if '.' in text else text)} {currency}".rstrip()


def duration(length: timedelta) -> str:
    """The two largest units: `1 h 7 min`, `3 d 4 h`, `42 s`; over a year `more than a year`."""
    seconds = round(length.total_seconds())
    if seconds < _UNITS[-1][0]:
        return f"{max(seconds, 0)} s"
    if seconds > _YEAR_SECONDS:
        return "more than a year"
    for position, (size, unit) in enumerate(_UNITS):
        if seconds >= size:
            whole, rest = divmod(seconds, size)
            smaller = _UNITS[position + 1 : position + 2]
            minor = [f"{rest // small} {name}" for small, name in smaller if rest >= small]
            return " ".join([f"{whole} {unit}", *minor])
    return "0 s"


def window(length: timedelta) -> str:
    """The name of a window in an adjective's place: `30-day`, `12-hour`, `90-minute`."""
    seconds = int(length.total_seconds())
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % size == 0:
            return f"{seconds // size}-{name}"
    return f"{seconds}-second"


def utc(at: datetime) -> str:
    """`2026-10-16 12:34 UTC`."""
    return f"{at:%Y-%m-%d %H:%M} UTC"
