"""The calendars of a detector's document as terms, and what is wrong with them."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from alerts.anomaly.model import CalendarTerms
from alerts.anomaly.spec import CalendarPart
from alerts.reporting import Report
from controlplane.burn_rate import duration
from controlplane.calendar.moments import length_of

_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_FORMS: Final = ("holidays", "dates", "deployments")
_LONGEST_AFTER: Final = timedelta(days=1)
_LONGEST_DAYS: Final = 366
Path = tuple[str | int, ...]


def calendar_terms(
    report: Report, written: Sequence[CalendarPart], *, step: timedelta, kept: frozenset[str] | None
) -> tuple[CalendarTerms, ...]:
    """Those that can be used, in their order. `kept`: labels that series have at most, None where not known."""
    found = []
    for number, part in enumerate(written):
        at: Path = ("spec", "calendars", number)
        terms = _terms(report, part, at, step, kept)
        if terms is not None:
            found.append(terms)
        if part.name is not None and any(part.name == other.name for other in written[:number]):
            report.error(*at, "name", message=f"another calendar is called `{part.name}`, too", hint="rename one")
    return tuple(found)


def _terms(
    report: Report, part: CalendarPart, at: Path, step: timedelta, kept: frozenset[str] | None
) -> CalendarTerms | None:
    given = [form for form in _FORMS if getattr(part, form) is not None]
    if len(given) != 1:
        if given:
            message = f"{' and '.join(given)} exclude each other"
            report.error(*at, given[1], message=message, hint="make them two calendars", on_key=True)
        else:
            report.error(*at, message="names no days", hint="write one of holidays, dates, deployments")
        return None
    if part.deployments is not None:
        return _of_deployments(report, part, at, step, kept)
    if part.service is not None:
        report.error(*at, "service", message="only deployments are of a service", hint="remove it", on_key=True)
    like = None if part.like is None else _WEEKDAYS.index(part.like)
    if part.holidays is not None:
        return _of_holidays(report, part.holidays, at, part.name or "", like)
    return CalendarTerms(dates=_dates(report, part.dates or [], at), name=part.name or "", like=like)


def _of_deployments(
    report: Report, part: CalendarPart, at: Path, step: timedelta, kept: frozenset[str] | None
) -> CalendarTerms:
    written = part.deployments or ""
    length = length_of(written)
    if length is None:
        report.error(*at, "deployments", message=f"`{written}` is not a length", hint="such as 30m")
    elif not timedelta(minutes=1) <= length <= _LONGEST_AFTER:
        report.error(*at, "deployments", message=f"must be between 1m and {duration(_LONGEST_AFTER)}, is {written}")
    elif length < step:
        message = f"shorter than a step of {duration(step)}: whole steps are left out"
        report.warning(*at, "deployments", message=message, hint=f"at least {duration(step)}")
    if part.like is not None:
        report.error(*at, "like", message="a deployment is like no day", hint="remove it", on_key=True)
    if part.service is None and kept is not None and "service" not in kept:
        message = "whose deployments? The series have no label `service`"
        report.error(*at, "deployments", message=message, hint="add `service: NAME`", on_key=True)
    return CalendarTerms(deployments=length, service=part.service or "", name=part.name or "")


def _of_holidays(report: Report, written: str, at: Path, name: str, like: int | None) -> CalendarTerms | None:
    from alerts.anomaly.calendars.holiday_dates import place_of

    place = place_of(written)
    if place.fault:
        report.error(*at, "holidays", message=place.fault, hint=place.hint)
        return None
    return CalendarTerms(country=place.code, name=name, like=like)


def _dates(report: Report, written: Sequence[str], at: Path) -> tuple[tuple[date, date], ...]:
    found: list[tuple[date, date]] = []
    for number, text in enumerate(written):
        path = (*at, "dates", number)
        first, slash, last = (part.strip() for part in text.partition("/"))
        days = [_date(report, each, path) for each in ((first, last) if slash else (first,))]
        if any(day is None for day in days):
            continue
        begin, end = (day for day in (days[0], days[-1]) if day is not None)
        if end < begin:
            report.error(*path, message=f"ends before it begins: {text}", hint=f"{end}/{begin}")
        elif (end - begin).days >= _LONGEST_DAYS:
            report.error(*path, message="longer than a year: nothing is left to learn from", hint="shorter ranges")
        else:
            if any(begin <= other[1] and other[0] <= end for other in found):
                report.warning(*path, message="some of its days are there already")
            found.append((begin, end))
    return tuple(found)


def _date(report: Report, text: str, path: Path) -> date | None:
    try:
        if len(text) == len("2026-11-27"):
            return date.fromisoformat(text)
    except ValueError:
        pass
    report.error(*path, message=f"`{text[:40]}` is not a date", hint="such as 2026-11-27 or 2026-12-24/2026-12-26")
    return None
