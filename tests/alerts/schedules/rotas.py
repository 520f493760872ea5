"""Schedules for tests."""

from datetime import UTC, datetime, time

from alerts.schedules.model import DayTimes, Every, Override, Rotation, Schedule

BERLIN = "Europe/Berlin"
EVERY_DAY = frozenset(range(7))
WORKDAYS = frozenset(range(5))


def utc(text: str) -> datetime:
    """`2026-03-29T01:00`, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def wall(text: str) -> datetime:
    """What a clock on the wall shows."""
    return datetime.fromisoformat(text)


def rotation(
    *participants: str, start: str = "2026-01-05T09:00", every: Every = Every.WEEK, **more: object
) -> Rotation:
    """A layer; weekly from a Monday on."""
    given = {"name": "weekly", "count": 1} | more
    return Rotation(participants=participants, start=wall(start), every=every, **given)  # type: ignore[arg-type]


def hours(start: str, end: str, days: frozenset[int] = WORKDAYS) -> DayTimes:
    """Hours of some days."""
    return DayTimes(days, time.fromisoformat(start), time.fromisoformat(end))


def override(start: str, end: str, who: str) -> Override:
    """Somebody else, in UTC."""
    return Override(utc(start), utc(end), who)


def schedule(*rotations: Rotation, zone: str = BERLIN, overrides: tuple[Override, ...] = ()) -> Schedule:
    """A schedule of these layers."""
    return Schedule("sre", zone, rotations, overrides)
