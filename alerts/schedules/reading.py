"""Times as schedules and maintenance windows write them: zones, moments, hours of weekdays."""

import re
from datetime import datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from alerts.reporting import Report
from alerts.schedules.model import DayTimes
from alerts.schedules.spec import DayTimesPart
from controlplane.calendar.moments import moment_of
from controlplane.calendar.zones import zone, zone_names
from controlplane.specfile import did_you_mean

A_MOMENT: Final = "such as 2026-12-24T09:00, by the clocks of the time zone, or 2026-12-24T08:00Z"
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LEAST_LETTERS: Final = 3
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_WALL: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}))?", re.ASCII)
_WEEK: Final = 7
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2199
Path = tuple[str | int, ...]


def zone_of(report: Report, name: str, path: Path) -> ZoneInfo:
    """The zone of that name; UTC and a problem for a name that is none."""
    if name in zone_names():
        return zone(name)
    meant = did_you_mean(name, zone_names())
    hint = f"did you mean `{meant}`?" if meant else "an IANA name such as Europe/Berlin"
    report.error(*path, message=f"`{name}` is not a time zone", hint=hint)
    return zone("UTC")


def wall_time(report: Report, text: str, path: Path) -> datetime | None:
    """What a clock on the wall shows, naive, to the minute; None and a problem for what is no such time."""
    match = _WALL.fullmatch(text)
    try:
        if match is not None:
            found = datetime.fromisoformat(f"{match[1]}T{match[2] or '00:00'}")
            return found if _is_near(report, found, path) else None
    except ValueError:  # the 30th of February
        pass
    hint = "such as 2026-01-05T09:00, without an offset: it is a time by the clocks of the time zone"
    report.error(*path, message=f"`{text}` is not a time on the wall", hint=hint)
    return None


def moment(report: Report, text: str, path: Path, where: ZoneInfo) -> datetime | None:
    """A moment in UTC, written by the clocks of `where` or with an offset; None and a problem for what is none."""
    found = moment_of(text, where)
    if found is None:
        report.error(*path, message=f"`{text}` is not a time", hint=A_MOMENT)
        return None
    return found if _is_near(report, found, path) else None


def _is_near(report: Report, at: datetime, path: Path) -> bool:
    is_near = _FIRST_YEAR <= at.year <= _LAST_YEAR
    if not is_near:
        report.error(*path, message=f"the year {at.year} is too far away", hint=f"{_FIRST_YEAR} to {_LAST_YEAR}")
    return is_near


def day_times(report: Report, part: DayTimesPart, path: Path) -> DayTimes | None:
    """Hours of weekdays; None and problems where one of its parts is none."""
    days: set[int] = set()
    for number, text in enumerate(part.days):
        found = days_of(text)
        if not found:
            hint = "mon, tue, wed, thu, fri, sat, sun, or two with `-` between, such as mon-fri"
            report.error(*path, "days", number, message=f"`{text}` is no day of the week", hint=hint)
        days |= found
    start, end = (_clock(report, text, (*path, key)) for text, key in ((part.start, "from"), (part.end, "to")))
    return DayTimes(frozenset(days), start, end) if days and start is not None and end is not None else None


def days_of(text: str) -> frozenset[int]:
    """`mon`, `Monday`, `fri-mon` as numbers, 0 is Monday; empty for what is none."""
    first, dash, last = (piece.strip().lower() for piece in text.partition("-"))
    start, end = _day(first), _day(last if dash else first)
    if start is None or end is None:
        return frozenset()
    return frozenset((start + each) % _WEEK for each in range((end - start) % _WEEK + 1))


def _day(text: str) -> int | None:
    if len(text) < _LEAST_LETTERS:
        return None
    return next((number for number, name in enumerate(_DAYS) if name.startswith(text)), None)


def _clock(report: Report, text: str, path: Path) -> time | None:
    match = _CLOCK.fullmatch(text)
    if match is None:
        report.error(*path, message=f"`{text}` is not a time of day", hint="such as 09:00, at most 24:00")
        return None
    return time(int(match[1] or 0), int(match[2] or 0))
