"""What a detector's calendars say of some time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A day that is not learnt from; `like` is the weekday that it resembles (0 Monday), None its own."""

    name: str
    like: int | None = None


@dataclass(frozen=True, slots=True)
class DeploymentTime:
    """From when a deployment was finished until what follows from it is learnt from again.

    `service` is whose it was; `is_of_all`: the calendar names that service itself, so all series are meant.
    """

    start: datetime
    end: datetime
    service: str
    version: str = ""
    is_of_all: bool = False


@dataclass(frozen=True, slots=True)
class Calendars:
    """Special days (by the clocks of `zone`) and times after deployments, in order of their starts."""

    zone: ZoneInfo
    days: Mapping[date, SpecialDay] = field(default_factory=dict)
    deployments: tuple[DeploymentTime, ...] = ()

    @property
    def special(self) -> Mapping[date, int | None]:
        """What `alerts.anomaly.detector.phases.phases` takes."""
        return {day: each.like for day, each in self.days.items()}
