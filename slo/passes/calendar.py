"""Calendar windows: the ledger by period, and what its whole period will have been (RULES.md, "Calendar month").

An entry belongs to the period in which it is written, so a period has exactly as many as 5 minutes fit into it: March
in Berlin has 743 hours of them.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import LEDGER_INTERVAL, duration, seconds
from controlplane.model.rule import RecordingRule, Rule
from controlplane.model.slo import CalendarWindow
from slo.calendar.tables import matcher, table_of
from slo.passes.subject import Subject

# Whole weeks, so that what is expected of the rest of a period knows of quiet nights and weekends.
_TRAILING: Final = timedelta(weeks=4)
_DAY: Final = timedelta(days=1)
_ENTRY_SECONDS: Final = int(seconds(LEDGER_INTERVAL))


def calendar_of(subject: Subject) -> CalendarWindow | None:
    """The calendar window of its SLO; None when it rolls."""
    window = subject.slos[0].window
    return window if isinstance(window, CalendarWindow) else None


def bounds(subject: Subject) -> Iterator[Rule]:
    """When the current period began and when it ends, exact at the moment at which one ends.

    The calendar's own series are up to an hour old, but they know what comes next.
    """
    window = calendar_of(subject)
    if window is None:
        return
    start, end, next_end = (
        f"last_over_time({name}{{{matcher(window)}}}[1h])"
        for name in (names.CALENDAR_START, names.CALENDAR_END, names.CALENDAR_NEXT_END)
    )
    began = f"max without ({names.CALENDAR}) (\n  {end} <= time()\n  or\n  {start}\n)"
    ends = f"max without ({names.CALENDAR}) (\n  {end} > time()\n  or\n  {next_end}\n)"
    yield RecordingRule(names.WINDOW_START, began, subject.labels)
    yield RecordingRule(names.WINDOW_END, ends, subject.labels)


def period_ledger(subject: Subject) -> Iterator[Rule]:
    """The ledger, each entry labelled with its period."""
    if calendar_of(subject) is not None:
        # Not read from the ledger: where that has an end, its last entry is seen for 5 minutes more.
        entry = f"avg_over_time({names.ROLLING_EVENTS}{{{subject.history}}}[5m])"
        yield RecordingRule(names.PERIOD_EVENTS, with_period(subject, entry), subject.labels)


def with_period(subject: Subject, events: str) -> str:
    """PromQL: the events with the label `period` of the current one."""
    return f"{events}\n* on () group_left ({names.PERIOD})\n{current_period(subject)}"


def expected(subject: Subject) -> Iterator[Rule]:
    """Events that the whole period will have had: those seen, and for the rest the mean of the last four weeks.

    Nothing is left to expect at a period's end when all of it was measured.
    """
    window = calendar_of(subject)
    if window is None:
        return
    trailing = duration(min(_TRAILING, max(_DAY, window.length)))
    usual = f"avg_over_time({subject.ledger(names.EVENT_ALL)}[{trailing}])"
    entries = f"(scalar({subject.derived(names.WINDOW_END)}) - scalar({_start(subject)})) / {_ENTRY_SECONDS}"
    measured = f"{subject.derived(names.WINDOW_COVERAGE)} * ({_elapsed_entries(subject)})"
    expr = (
        f"sum without ({names.EVENT}) ({subject.total(names.EVENT_ALL)})\n"
        f"+ sum without ({names.EVENT}) ({usual})\n"
        f"* clamp_min({entries} - {measured}, 0)"
    )
    yield RecordingRule(names.expected_events(subject.period_name), expr, subject.labels)


def total(subject: Subject, series: str = names.PERIOD_EVENTS) -> str:
    """PromQL: the events of the current period so far, all and bad."""
    selected = f"{series}{{{subject.history}}}"
    return f"sum without ({names.PERIOD}) (\n  {_of_current_period(subject, 'sum_over_time', selected)}\n)"


def coverage(subject: Subject) -> str:
    """PromQL: the share of the elapsed part of the period for which there is a ledger entry."""
    every = f'{names.PERIOD_EVENTS}{{{subject.history},{names.EVENT}="{names.EVENT_ALL}"}}'
    counted = (
        f"sum without ({names.EVENT}, {names.PERIOD}) (\n  {_of_current_period(subject, 'count_over_time', every)}\n)"
    )
    return f"clamp_max(\n{counted}\n/ ({_elapsed_entries(subject)}),\n1\n)"


def current_period(subject: Subject) -> str:
    """PromQL: 1 with the label `period` of the current one."""
    return f'count_values ("{names.PERIOD}", {_start(subject)})'


def _of_current_period(subject: Subject, function: str, selected: str) -> str:
    window = calendar_of(subject)
    assert window is not None
    longest = duration(-(-table_of(window).longest // _DAY) * _DAY)
    of_all = f"{function}({selected}[{longest}])"
    return f"{of_all}\n  and on ({names.PERIOD})\n  {current_period(subject)}"


def _start(subject: Subject) -> str:
    return subject.derived(names.WINDOW_START)


def _elapsed_entries(subject: Subject) -> str:
    """How many ledger entries a period has had by now if none is missing."""
    return f"scalar(floor((time() - {_start(subject)}) / {_ENTRY_SECONDS})) + 1"
