"""Schedules, as declared. Times are those of the wall clock in the schedule's zone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import Enum

from controlplane.model.source import SourcePosition


class Every(Enum):
    """The unit by which a rotation hands over: days and weeks are those of the calendar, through DST."""

    HOUR = "h"
    DAY = "d"
    WEEK = "w"


@dataclass(frozen=True, slots=True)
class DayTimes:
    """Hours of some weekdays (0 = Monday); `end` before or at `start` means: into the next day."""

    days: frozenset[int]
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Rotation:
    """A layer: `participants` (names of Receivers) take turns of `count` × `every` from `start` (naive, wall clock) on.

    `only`: it applies in these hours, empty always. Later rotations of a schedule lie over earlier ones.
    """

    name: str
    participants: tuple[str, ...]
    start: datetime
    every: Every
    count: int
    only: tuple[DayTimes, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody else is on call in [start, end); it lies over every rotation; later ones over earlier ones."""

    start: datetime  # aware
    end: datetime
    participant: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Who is on call when."""

    name: str
    zone: str
    rotations: tuple[Rotation, ...]
    overrides: tuple[Override, ...] = ()
    display_name: str = ""
    source: SourcePosition | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """Somebody is on call in [start, end) (aware, UTC); `participant` is empty where nobody is."""

    start: datetime
    end: datetime
    participant: str
    by: str = ""  # the rotation's name, or `override`
    labels: Mapping[str, str] = field(default_factory=dict)


LONGEST_LOOK = timedelta(days=366)
