"""Maintenance windows, as declared."""

from dataclasses import dataclass
from datetime import datetime

from alerts.routing.model import Matcher
from alerts.schedules.model import DayTimes
from controlplane.model.source import SourcePosition


@dataclass(frozen=True, slots=True)
class Recurring:
    """An RFC 5545 rule in the window's zone: from `start` (naive, wall clock), each `minutes` long."""

    start: datetime
    minutes: int
    rule: str


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """Times: `spans` once (aware, half open), `weekly` hours, and by `rules`. With `matchers` alerts that all of them

    match are silenced then (OR between the groups); without, it only gives routes a name for these times.
    """

    name: str
    zone: str
    spans: tuple[tuple[datetime, datetime], ...] = ()
    weekly: tuple[DayTimes, ...] = ()
    rules: tuple[Recurring, ...] = ()
    matchers: tuple[tuple[Matcher, ...], ...] = ()
    why: str = ""
    source: SourcePosition | None = None
