"""What happens again and again: a small part of RFC 5545's rules, looked at day by day, so that none takes long."""

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from controlplane.calendar.zones import instant
from controlplane.calendar.zones import zone as zone_named

_FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_PARTS: Final[Mapping[str, str]] = {
    "FREQ": r"[A-Z]+",
    "INTERVAL": r"[1-9][0-9]{0,2}",
    "BYDAY": r"[-+]?[0-5]?(?:MO|TU|WE|TH|FR|SA|SU)(?:,[-+]?[0-5]?(?:MO|TU|WE|TH|FR|SA|SU))*",
    "BYMONTH": r"(?:[1-9]|1[0-2])(?:,(?:[1-9]|1[0-2]))*",
    "BYMONTHDAY": r"-?(?:[1-9]|[12][0-9]|3[01])(?:,-?(?:[1-9]|[12][0-9]|3[01]))*",
    "UNTIL": r"[0-9]{8}(?:T[0-9]{6}Z?)?",
}
_DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY: Final = timedelta(days=1)
_WEEK_DAYS: Final = 7
_YEAR_MONTHS: Final = 12


class BadRule(ValueError):
    """A rule that cannot be used: why, and the way out."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Rule:
    """On which days it happens. Ordinals of days count within the month; empty sets take those of the first time."""

    frequency: str
    interval: int = 1
    days: frozenset[tuple[int, int]] = frozenset()  # (ordinal or 0, weekday)
    months: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()
    until: str = ""


def rule_of(text: str) -> Rule:
    """A rule that was written down. Raises `BadRule`."""
    parts = _parts_of(text)
    frequency = parts.get("FREQ", "")
    if frequency not in _FREQUENCIES:
        raise BadRule(f"`{frequency}` is no frequency" if frequency else "no FREQ", f"one of {', '.join(_FREQUENCIES)}")
    days = frozenset(_weekday(one) for one in parts["BYDAY"].split(",")) if "BYDAY" in parts else frozenset()
    if any(ordinal for ordinal, _ in days) and not _counts_in_months(frequency, parts):
        raise BadRule("BYDAY with numbers counts days of a month", "with FREQ=MONTHLY, or YEARLY and BYMONTH")
    if frequency == "WEEKLY" and "BYMONTHDAY" in parts:
        raise BadRule("BYMONTHDAY does not go with FREQ=WEEKLY (RFC 5545)")
    if frequency == "YEARLY" and "BYMONTH" not in parts and (days or "BYMONTHDAY" in parts):
        raise BadRule("FREQ=YEARLY needs BYMONTH beside BYDAY and BYMONTHDAY", "or FREQ=MONTHLY")
    return Rule(
        frequency,
        int(parts.get("INTERVAL", "1")),
        days,
        _numbers(parts.get("BYMONTH")),
        _numbers(parts.get("BYMONTHDAY")),
        parts.get("UNTIL", ""),
    )


def starts_between(rule: Rule, first: datetime, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """When it begins within [start, end), in UTC and in order; `first` (aware) is the first time that it may.

    Where clocks skip the time of day it begins when they are turned; where it comes twice, the first time.
    """
    local = first.astimezone(zone).replace(tzinfo=None)
    last = _until(rule.until, zone)
    day = max(local.date(), (start.astimezone(zone) - _DAY).date())
    found = []
    while (at := instant(datetime.combine(day, local.time()), zone)) < end and (last is None or at <= last):
        if at >= start and _happens(rule, local.date(), day):
            found.append(at)
        day += _DAY
    return found


def _happens(rule: Rule, first: date, day: date) -> bool:
    if rule.months and day.month not in rule.months:
        return False
    if not _is_in_turn(rule, first, day):
        return False
    if rule.month_days and not _is_month_day(rule.month_days, day):
        return False
    if rule.days:
        return any(_is_weekday(ordinal, weekday, day) for ordinal, weekday in rule.days)
    return bool(rule.month_days) or _is_as_first(rule, first, day)


def _is_in_turn(rule: Rule, first: date, day: date) -> bool:
    months = (day.year - first.year) * _YEAR_MONTHS + day.month - first.month
    passed = {
        "DAILY": (day - first).days,
        "WEEKLY": (day - _DAY * day.weekday() - (first - _DAY * first.weekday())).days // _WEEK_DAYS,
        "MONTHLY": months,
        "YEARLY": day.year - first.year,
    }
    return passed[rule.frequency] % rule.interval == 0


def _is_as_first(rule: Rule, first: date, day: date) -> bool:
    match rule.frequency:
        case "WEEKLY":
            return day.weekday() == first.weekday()
        case "MONTHLY":
            return day.day == first.day
        case "YEARLY":
            return day.day == first.day and (bool(rule.months) or day.month == first.month)
    return True


def _is_weekday(ordinal: int, weekday: int, day: date) -> bool:
    if day.weekday() != weekday:
        return False
    from_end = (calendar.monthrange(day.year, day.month)[1] - day.day) // _WEEK_DAYS + 1
    return ordinal in (0, (day.day - 1) // _WEEK_DAYS + 1, -from_end)


def _is_month_day(month_days: frozenset[int], day: date) -> bool:
    length = calendar.monthrange(day.year, day.month)[1]
    return day.day in month_days or day.day - length - 1 in month_days


def _parts_of(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").strip(";").split(";"):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or key not in _PARTS:
            raise BadRule(f"`{part[:40]}` is not understood here", f"known are {', '.join(_PARTS)}")
        if key in found:
            raise BadRule(f"{key} is there twice")
        if not re.fullmatch(_PARTS[key], value):
            raise BadRule(f"`{value[:40]}` is no value of {key}")
        found[key] = value
    if "UNTIL" in found:
        _until(found["UNTIL"], zone_named("UTC"))
    return found


def _counts_in_months(frequency: str, parts: Mapping[str, str]) -> bool:
    return frequency == "MONTHLY" or (frequency == "YEARLY" and "BYMONTH" in parts)


def _weekday(text: str) -> tuple[int, int]:
    return int(text[:-2] or "0"), _DAYS.index(text[-2:])


def _numbers(text: str | None) -> frozenset[int]:
    return frozenset(int(one) for one in text.split(",")) if text else frozenset()


def _until(written: str, zone: ZoneInfo) -> datetime | None:
    """The last moment at which it may begin; a date is the whole day."""
    if not written:
        return None
    try:
        if written.endswith("Z"):
            return datetime.strptime(written, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if "T" in written:
            return instant(datetime.strptime(written, "%Y%m%dT%H%M%S"), zone)  # noqa: DTZ007
        return instant(datetime.strptime(written, "%Y%m%d") + _DAY, zone) - timedelta(seconds=1)  # noqa: DTZ007
    except (ValueError, OverflowError):
        raise BadRule(f"UNTIL: `{written}` is not a time") from None
