"""A detector's calendars for some time."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from alerts.anomaly.calendars.model import Calendars
from alerts.anomaly.model import CalendarTerms
from alerts.anomaly.ports import Deployments


def calendars_of(
    terms: Sequence[CalendarTerms],
    zone: ZoneInfo,
    start: datetime,
    end: datetime,
    deployments: Deployments | None = None,
) -> Calendars:
    """Special days and deployments that matter to start … end: days that it is compared with, too.

    Without `deployments` there are none. Raises nothing: terms were checked when they were declared.
    """
    return Calendars(zone)
