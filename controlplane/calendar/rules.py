"""The rules that all budgets with one calendar share: when its current period began and when it ends."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.calendar.periods import unix
from controlplane.calendar.tables import TABLE_END, calendar_name, matcher, table_of
from controlplane.model.rule import AlertingRule, RecordingRule, Rule, RuleFile, RuleGroup
from controlplane.model.slo import CalendarWindow, Window

CALENDAR_FILE: Final = "slo-calendars.yaml"
# Two hundred terms take some milliseconds. Who reads them looks back an hour and knows what comes next, but after a
# first apply waits for them.
_INTERVAL: Final = timedelta(minutes=5)
_WARNED_BEFORE: Final = timedelta(days=365)


def calendar_file(
    windows: Iterable[Window], *, name: str = CALENDAR_FILE, group: str = "slo:calendars", of: str = ""
) -> RuleFile | None:
    """The file that rules of calendar windows read from; None when there are none among the windows.

    `of` tells calendars of other files apart (`calendar_name`): two files must not write the same series.
    """
    calendars = {calendar_name(window, of): window for window in windows if isinstance(window, CalendarWindow)}
    if not calendars:
        return None
    rules = tuple(rule for _, window in sorted(calendars.items()) for rule in _rules(window, of))
    return RuleFile(name, (RuleGroup(group, _INTERVAL, (*rules, _table_ends())),))


def bounds(window: CalendarWindow, of: str = "") -> tuple[str, str]:
    """PromQL: when the current period began and when it ends, exact at the moment at which one ends.

    The calendar's own series are up to an hour old, but they know what comes next.
    """
    start, end, next_end = (
        f"last_over_time({name}{{{matcher(window, of)}}}[1h])"
        for name in (names.CALENDAR_START, names.CALENDAR_END, names.CALENDAR_NEXT_END)
    )
    began = f"max without ({names.CALENDAR}) (\n  {end} <= time()\n  or\n  {start}\n)"
    ends = f"max without ({names.CALENDAR}) (\n  {end} > time()\n  or\n  {next_end}\n)"
    return began, ends


def _rules(window: CalendarWindow, of: str) -> Iterator[Rule]:
    table = table_of(window, of)
    labels = ((names.CALENDAR, calendar_name(window, of)),)
    for name, expr in (
        (names.CALENDAR_WALL, table.wall),
        (names.CALENDAR_START, table.start),
        (names.CALENDAR_END, table.end),
        (names.CALENDAR_NEXT_END, table.next_end),
    ):
        if expr:
            yield RecordingRule(name, expr, labels)


def _table_ends() -> AlertingRule:
    year = TABLE_END.year
    summary = f"The tables of calendar windows end with the year {year - 1}"
    way_out = "Afterwards a month counts 30 days and no clock is turned. Update flyball, and apply the SLO files again."
    return AlertingRule(
        names.ALERT_CALENDAR_ENDS,
        f"vector(time()) > {unix(TABLE_END - _WARNED_BEFORE)}",
        ((names.SEVERITY, names.SEVERITY_TICKET),),
        ((names.SUMMARY, summary), (names.DESCRIPTION, way_out)),
    )
