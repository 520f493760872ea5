"""Numbers of deliveries as people say them, and their intervals, short enough for a column."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Final

from controlplane import wording
from exporters.dora.model import Estimate

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86400
_UNITS: Final = ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"))
_TEN: Final = 10
_WEEK: Final = 7
_MONTH: Final = 30
Say = Callable[[Decimal], str]


def brief(seconds: Decimal | None) -> str:
    """A time in one unit: `42 s`, `42 min`, `4.2 h`, `1.3 d`, `120 d`; None is `no data`."""
    if seconds is None:
        return wording.MISSING
    number, unit = _in_unit(seconds, _unit_of(seconds))
    return f"{number} {unit}"


def long(seconds: Decimal | None) -> str:
    """A time in two units: `1 d 4 h`; None is `no data`."""
    return wording.MISSING if seconds is None else wording.duration(timedelta(seconds=float(seconds)))


def ratio(value: Decimal | None) -> str:
    """A share: `4.9 %`; None is `no data`."""
    return wording.percent(None if value is None else float(value))


def frequency(per_day: Decimal | None, like: Decimal | None = None) -> str:
    """How often: `1.4 a day`, `3.2 a week`, `2.1 a month` (of 30 days); None is `no data`. In the unit of `like`."""
    if per_day is None:
        return wording.MISSING
    days, unit = _frequency_unit(per_day if like is None else like)
    return f"{wording.significant(float(per_day) * days)} a {unit}"


def time_interval(it: Estimate) -> str:
    """`20–33 h`, `20 h–1.4 d`; empty without an interval."""
    if it.lower is None or it.upper is None:
        return ""
    low, high = _unit_of(it.lower), _unit_of(it.upper)
    if low == high:
        return f"{_in_unit(it.lower, low)[0]}–{brief(it.upper)}"
    return f"{brief(it.lower)}–{brief(it.upper)}"


def ratio_interval(it: Estimate) -> str:
    """`2.3–10.3 %`; empty without an interval."""
    if it.lower is None or it.upper is None:
        return ""
    return f"{ratio(it.lower).removesuffix(' %')}–{ratio(it.upper)}"


def frequency_interval(it: Estimate) -> str:
    """`1.1–1.6 a day`; empty without an interval."""
    if it.lower is None or it.upper is None or it.value is None:
        return ""
    low = frequency(it.lower, it.value).partition(" ")[0]
    return f"{low}–{frequency(it.upper, it.value)}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 deployment`, `1,234 deployments`."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def _unit_of(seconds: Decimal) -> int:
    """The largest unit that holds it at least once when rounded: 59.7 minutes are an hour."""
    return next((size for size, _ in _UNITS if seconds >= size * Decimal("0.995")), 1)


def _in_unit(seconds: Decimal, size: int) -> tuple[str, str]:
    name = next((name for each, name in _UNITS if each == size), "s")
    value = float(seconds) / size
    places = 1 if size >= _HOUR and value < _TEN - 0.05 else 0
    text = f"{value:.{places}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text), name


def _frequency_unit(per_day: Decimal) -> tuple[int, str]:
    if per_day >= 1:
        return 1, "day"
    return (_WEEK, "week") if per_day * _WEEK >= 1 else (_MONTH, "month")
