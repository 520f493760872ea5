"""The rules that all SLOs with one calendar share: when its current period began and when it ends."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.model.rule import AlertingRule, RecordingRule, Rule, RuleFile, RuleGroup
from controlplane.model.slo import SLO, CalendarWindow
from slo.calendar.periods import unix
from slo.calendar.tables import TABLE_END, calendar_name, table_of

CALENDAR_FILE: Final = "slo-calendars.yaml"
# Two hundred terms take some milliseconds. Who reads them looks back an hour and knows what comes next, but after a
# first apply waits for them.
_INTERVAL: Final = timedelta(minutes=5)
_WARNED_BEFORE: Final = timedelta(days=365)


def calendar_file(slos: Iterable[SLO]) -> RuleFile | None:
    """The file that the rules of SLOs with calendar windows read from; None when there are none."""
    windows = {calendar_name(slo.window): slo.window for slo in slos if isinstance(slo.window, CalendarWindow)}
    if not windows:
        return None
    rules = tuple(rule for _, window in sorted(windows.items()) for rule in _rules(window))
    return RuleFile(CALENDAR_FILE, (RuleGroup("slo:calendars", _INTERVAL, (*rules, _table_ends())),))


def _rules(window: CalendarWindow) -> Iterator[Rule]:
    table = table_of(window)
    labels = ((names.CALENDAR, calendar_name(window)),)
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
