"""Recurrence rules (RFC 5545, RRULE) between two moments, in a bounded number of steps whatever a rule says."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from controlplane.calendar.zones import instant
from controlplane.specfile import did_you_mean

MOST: Final = 1000  # occurrences: every day for more than two years
_FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_TOO_OFTEN: Final = ("SECONDLY", "MINUTELY", "HOURLY")
_PARTS: Final = {
    "FREQ": r"[A-Z]+",
    "INTERVAL": r"[1-9][0-9]{0,3}",
    "COUNT": r"[1-9][0-9]{0,5}",
    "UNTIL": r"[0-9]{8}(?:T[0-9]{6}Z?)?",
    "WKST": r"MO|TU|WE|TH|FR|SA|SU",
    "BYDAY": r"(?:[-+]?[0-9]{0,2}(?:MO|TU|WE|TH|FR|SA|SU))(?:,[-+]?[0-9]{0,2}(?:MO|TU|WE|TH|FR|SA|SU))*",
    "BYMONTH": r"(?:[1-9]|1[0-2])(?:,(?:[1-9]|1[0-2]))*",
    "BYMONTHDAY": r"-?[0-9]{1,2}(?:,-?[0-9]{1,2})*",
    "BYYEARDAY": r"-?[0-9]{1,3}(?:,-?[0-9]{1,3})*",
    "BYWEEKNO": r"-?[0-9]{1,2}(?:,-?[0-9]{1,2})*",
    "BYSETPOS": r"-?[0-9]{1,3}(?:,-?[0-9]{1,3})*",
    "BYHOUR": r"[0-9]{1,2}(?:,[0-9]{1,2})*",
    "BYMINUTE": r"[0-9]{1,2}(?:,[0-9]{1,2})*",
}
# The calendar repeats itself after 400 years, days of the week included. Rules are expanded as near to the last year
# that dates can have as that allows: a rule that matches no day at all is at its end after three centuries, not eighty.
_CYCLE_YEARS: Final = 400
_LAST_YEAR: Final = 9999
_LEAST_AHEAD: Final = 10


class BadRule(ValueError):
    """A rule that cannot be used: why, and the way out."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Occurrences:
    """When each begins, in UTC and in order. `cut` means that there would be more than `MOST`."""

    starts: tuple[datetime, ...]
    cut: bool


def occurrences(text: str, start: datetime, zone: ZoneInfo, until: datetime) -> Occurrences:
    """The occurrences of a rule from `start` (naive, by the clocks of `zone`) to before `until` (aware).

    Raises `BadRule`. Times that the clocks skip happen when they are turned; times that come twice, the first time.
    """
    parts = _parts_of(text)
    last = _last_of(parts.pop("UNTIL", ""), zone, until)
    years = (_LAST_YEAR - _LEAST_AHEAD - start.year) // _CYCLE_YEARS * _CYCLE_YEARS
    rule = _rule(parts, start.replace(year=start.year + years))
    starts: list[datetime] = []
    for found in _found(rule):
        at = instant(found.replace(year=found.year - years), zone)
        if at >= last:
            break
        if len(starts) == MOST:
            return Occurrences(tuple(starts), cut=True)
        starts.append(at)
    return Occurrences(tuple(starts), cut=False)


def _found(rule: rrule) -> Iterator[datetime]:
    try:
        yield from rule
    except (ValueError, OverflowError):  # a date beyond the last year: nothing more is found
        return
    except IndexError:  # a place that no month or year has, such as the sixtieth Monday
        raise BadRule("asks for a day that no month or year has") from None


def _rule(parts: dict[str, str], start: datetime) -> rrule:
    try:
        rule = rrulestr(";".join(f"{key}={value}" for key, value in parts.items()), dtstart=start)
    except (ValueError, OverflowError, KeyError, TypeError, AttributeError) as error:
        raise BadRule(f"not a recurrence rule: {error}") from None
    assert isinstance(rule, rrule)
    return rule


def _parts_of(text: str) -> dict[str, str]:
    """The parts of a rule by name, checked one by one."""
    found: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").strip(";").split(";"):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or key not in _PARTS:
            meant = did_you_mean(key, _PARTS) if key else None
            message = f"not a part of a recurrence rule: `{part[:40]}`"
            raise BadRule(message + (f", did you mean `{meant}`?" if meant else ""), f"known are {', '.join(_PARTS)}")
        if key in found:
            raise BadRule(f"{key} is there twice")
        if not re.fullmatch(_PARTS[key], value):
            raise BadRule(f"`{value[:40]}` is no value of {key}")
        found[key] = value
    frequency = found.get("FREQ", "")
    _check_frequency(frequency)
    if re.search("[0-9]", found.get("BYDAY", "")) and frequency not in ("MONTHLY", "YEARLY"):
        raise BadRule(f"BYDAY={found['BYDAY']} counts days of a month or year, and FREQ is {frequency} (RFC 5545)")
    if "COUNT" in found and "UNTIL" in found:
        raise BadRule("COUNT and UNTIL exclude one another (RFC 5545)")
    return found


def _check_frequency(frequency: str) -> None:
    if frequency in _TOO_OFTEN:
        raise BadRule(f"FREQ={frequency} is too often", "DAILY with BYHOUR says several times a day")
    if frequency not in _FREQUENCIES:
        meant = did_you_mean(frequency, _FREQUENCIES) if frequency else None
        message = f"`{frequency[:40]}` is no frequency" if frequency else "no FREQ"
        raise BadRule(message + (f", did you mean `{meant}`?" if meant else ""), f"one of {', '.join(_FREQUENCIES)}")


def _last_of(written: str, zone: ZoneInfo, until: datetime) -> datetime:
    """The first moment at which nothing begins any more. UNTIL is inclusive; a date is the whole day."""
    if not written:
        return until
    try:
        if written.endswith("Z"):
            last = datetime.strptime(written, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) + timedelta(seconds=1)
        elif "T" in written:
            last = instant(datetime.strptime(written, "%Y%m%dT%H%M%S") + timedelta(seconds=1), zone)  # noqa: DTZ007
        else:
            last = instant(datetime.strptime(written, "%Y%m%d") + timedelta(days=1), zone)  # noqa: DTZ007
    except (ValueError, OverflowError):
        raise BadRule(f"UNTIL: `{written}` is not a time") from None
    return min(until, last)
