"""Schedules as data for pages and tables."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from alerts.schedules.model import Schedule, Turn
from alerts.schedules.turns import next_hand_over, turn_at
from controlplane.calendar.zones import zone
from controlplane.model.event import JSON


@dataclass(frozen=True, slots=True)
class OnCallView:
    """Who is on call by a schedule at a time, until when, and who comes next. Empty: nobody.

    `until` is None where nothing changes within a year.
    """

    schedule: Schedule
    at: datetime
    who: str
    by: str
    until: datetime | None = None
    after: str = ""


def on_call_view(schedule: Schedule, at: datetime) -> OnCallView:
    """One schedule at `at` (aware). A turn that goes over to the same person goes on."""
    change = next_hand_over(schedule, at)
    now = turn_at(schedule, at)
    view = OnCallView(schedule, at, now.participant, now.by)
    return view if change is None else replace(view, until=change.at, after=change.after)


def on_call_data(view: OnCallView) -> dict[str, JSON]:
    """As JSON: times in UTC."""
    return {
        "schedule": view.schedule.name,
        "time_zone": view.schedule.zone,
        "at": view.at.isoformat(),
        "on_call": view.who,
        "by": view.by,
        "until": view.until.isoformat() if view.until else None,
        "next": view.after,
    }


def turns_data(schedule: Schedule, turns: Iterable[Turn]) -> dict[str, JSON]:
    """As JSON: times in UTC."""
    return {
        "schedule": schedule.name,
        "time_zone": schedule.zone,
        "turns": [
            {"start": turn.start.isoformat(), "end": turn.end.isoformat(), "on_call": turn.participant, "by": turn.by}
            for turn in turns
        ],
    }


def on_call_table(views: Sequence[OnCallView]) -> str:
    """A line a schedule, times by the clocks of its zone."""
    width = max(len("SCHEDULE"), *(len(view.schedule.name) for view in views))
    person = max(len("ON CALL"), *(len(view.who or "nobody") for view in views))
    lines = [f"{'SCHEDULE':<{width}} {'ON CALL':<{person}} {'UNTIL':<16} THEN"]
    for view in views:
        until = _wall(view.schedule, view.until) if view.until else "further notice"
        after = (view.after or "nobody") if view.until else ""
        who = view.who or "nobody"
        lines.append(f"{view.schedule.name:<{width}} {who:<{person}} {until:<16} {after}".rstrip())
    return "\n".join(lines)


def turns_table(schedule: Schedule, turns: Sequence[Turn]) -> str:
    """A line a turn, times by the clocks of the schedule's zone."""
    person = max([len("ON CALL"), *(len(turn.participant or "nobody") for turn in turns)])
    lines = [f"{'FROM':<20} {'UNTIL':<20} {'ON CALL':<{person}} BY"]
    for turn in turns:
        start, end = _day_and_wall(schedule, turn.start), _day_and_wall(schedule, turn.end)
        lines.append(f"{start:<20} {end:<20} {turn.participant or 'nobody':<{person}} {turn.by}".rstrip())
    return "\n".join(lines)


def _wall(schedule: Schedule, at: datetime) -> str:
    return f"{at.astimezone(zone(schedule.zone)):%Y-%m-%d %H:%M}"


def _day_and_wall(schedule: Schedule, at: datetime) -> str:
    return f"{at.astimezone(zone(schedule.zone)):%a %Y-%m-%d %H:%M}"
