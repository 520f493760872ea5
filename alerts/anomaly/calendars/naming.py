"""What a moment is called: time that is not learnt from is scored and told all the same, and says what it is."""

from datetime import date, datetime, timedelta
from typing import Final

from alerts.anomaly.calendars.model import Calendars, DeploymentTime
from controlplane.wording import duration

_MINUTE: Final = timedelta(minutes=1)
_WEEKDAYS: Final = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


def names_of(calendars: Calendars, moment: datetime, service: str = "") -> tuple[str, ...]:
    """Why a moment is not learnt from: `New Year's Day (DE)`; `deployment of checkout 1.4.2 9 min ago`.

    A day comes first, then deployments, the latest first. `service` is the series' label of that name. Empty where the
    moment is like any other.
    """
    day = calendars.days.get(_day(calendars, moment))
    days = () if day is None else (day.name,)
    return (*days, *(_deployment(each, moment) for each in _after(calendars, moment, service)))


def sentence_of(calendars: Calendars, moment: datetime, service: str = "") -> str:
    """The same for readers, and what follows from it; empty where the moment is like any other."""
    names = names_of(calendars, moment, service)
    if not names:
        return ""
    day = calendars.days.get(_day(calendars, moment))
    like = f", compared with {_WEEKDAYS[day.like]}" if day is not None and day.like is not None else ""
    return f"{'; '.join(names)}: scored{like}, not learnt from"


def _day(calendars: Calendars, moment: datetime) -> date:
    return moment.astimezone(calendars.zone).date()


def _after(calendars: Calendars, moment: datetime, service: str) -> list[DeploymentTime]:
    found: dict[tuple[datetime, str, str], DeploymentTime] = {}
    for each in reversed(calendars.deployments):
        if each.start <= moment < each.end and (each.is_of_all or (service and each.service == service)):
            found.setdefault((each.start, each.service, each.version), each)
    return list(found.values())


def _deployment(each: DeploymentTime, moment: datetime) -> str:
    ago = moment - each.start
    when = f"{duration(ago)} ago" if ago >= _MINUTE else "just now"
    return f"deployment of {each.service} {each.version}".rstrip() + f" {when}"
