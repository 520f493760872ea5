"""A detector's calendars for some time."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from alerts.anomaly.calendars.model import Calendars, DeploymentTime, SpecialDay
from alerts.anomaly.model import CalendarTerms
from alerts.anomaly.ports import Deployments

_LOOK_BACK: Final = timedelta(days=70)  # as `alerts.anomaly.detector.phases` has it, which takes numpy
_DAY: Final = timedelta(days=1)


def calendars_of(
    terms: Sequence[CalendarTerms],
    zone: ZoneInfo,
    start: datetime,
    end: datetime,
    deployments: Deployments | None = None,
) -> Calendars:
    """Special days and deployments that matter to start … end (aware): days that it is compared with, too.

    A day that is in several calendars has all of their names, and is like what the first says that says anything.
    Without `deployments` there are none. Raises KeyError for a country that is none, which no declared detector names.
    """
    first, last = (start - _LOOK_BACK).astimezone(zone).date(), (end + _DAY).astimezone(zone).date()
    days: dict[date, SpecialDay] = {}
    for each in terms:
        for day, name in _days(each, first, last):
            known = days.get(day)
            days[day] = SpecialDay(name, each.like) if known is None else _both(known, name, each.like)
    return Calendars(zone, dict(sorted(days.items())), tuple(_deployments(terms, start, end, deployments)))


def _both(known: SpecialDay, name: str, like: int | None) -> SpecialDay:
    named = known.name if name in known.name.split(", ") else f"{known.name}, {name}"
    return SpecialDay(named, known.like if known.like is not None else like)


def _days(terms: CalendarTerms, first: date, last: date) -> Iterator[tuple[date, str]]:
    """Days from first to last, both included, and what they are called."""
    if terms.country:
        from alerts.anomaly.calendars.holiday_dates import holidays_of

        for day, name in holidays_of(terms.country, range(first.year, last.year + 1)).items():
            if first <= day <= last:
                yield day, f"{name} ({terms.name or terms.country})"
    for begin, end in terms.dates:
        written = f"{begin}" if begin == end else f"{begin}/{end}"
        day = max(begin, first)
        while day <= min(end, last):
            yield day, terms.name or written
            day += _DAY


def _deployments(
    terms: Sequence[CalendarTerms], start: datetime, end: datetime, deployments: Deployments | None
) -> list[DeploymentTime]:
    wanted = [(each, each.deployments) for each in terms if each.deployments is not None]
    if not wanted or deployments is None:
        return []
    longest = max(length for _, length in wanted)
    happened = deployments.between(start - longest, end)
    found = {
        DeploymentTime(one.at, one.at + length, one.service, one.version, is_of_all=bool(each.service))
        for each, length in wanted
        for one in happened
        if each.service in ("", one.service) and one.at + length > start
    }
    return sorted(found, key=lambda each: (each.start, each.end, each.service, each.version, each.is_of_all))
