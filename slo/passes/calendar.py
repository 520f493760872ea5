"""Calendar windows: the ledger by period, and what a whole period will have had (`controlplane.calendar.ledgers`)."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import duration, ledger_entry
from controlplane.calendar import ledgers, rules
from controlplane.model.rule import RecordingRule, Rule
from controlplane.model.slo import CalendarWindow
from slo.passes.subject import Subject

# Whole weeks, so that what is expected of the rest of a period knows of quiet nights and weekends.
_TRAILING: Final = timedelta(weeks=4)
_DAY: Final = timedelta(days=1)


def calendar_of(subject: Subject) -> CalendarWindow | None:
    """The calendar window of its SLO; None when it rolls."""
    window = subject.slos[0].window
    return window if isinstance(window, CalendarWindow) else None


def bounds(subject: Subject) -> Iterator[Rule]:
    """When the current period began and when it ends."""
    window = calendar_of(subject)
    if window is None:
        return
    began, ends = rules.bounds(window)
    yield RecordingRule(names.WINDOW_START, began, subject.labels)
    yield RecordingRule(names.WINDOW_END, ends, subject.labels)


def period_ledger(subject: Subject) -> Iterator[Rule]:
    """The ledger, each entry labelled with its period."""
    if calendar_of(subject) is not None:
        # Not read from the ledger: where that has an end, its last entry is seen for 5 minutes more.
        entry = ledger_entry(f"{names.ROLLING_EVENTS}{{{subject.history}}}")
        yield RecordingRule(names.PERIOD_EVENTS, with_period(subject, entry), subject.labels)


def with_period(subject: Subject, events: str) -> str:
    """PromQL: the events with the label `period` of the current one."""
    return ledgers.with_period(events, _start(subject))


def expected(subject: Subject) -> Iterator[Rule]:
    """Events that the whole period will have had: those seen, and for the rest the mean of the last four weeks.

    Nothing is left to expect at a period's end when all of it was measured.
    """
    window = calendar_of(subject)
    if window is None:
        return
    trailing = duration(min(_TRAILING, max(_DAY, window.length)))
    usual = f"avg_over_time({subject.ledger(names.EVENT_ALL)}[{trailing}])"
    entries = f"(scalar({subject.derived(names.WINDOW_END)}) - scalar({_start(subject)})) / {ledgers.ENTRY_SECONDS}"
    measured = f"{subject.derived(names.WINDOW_COVERAGE)} * ({ledgers.elapsed_entries(_start(subject))})"
    expr = (
        f"sum without ({names.EVENT}) ({subject.total(names.EVENT_ALL)})\n"
        f"+ sum without ({names.EVENT}) ({usual})\n"
        f"* clamp_min({entries} - {measured}, 0)"
    )
    yield RecordingRule(names.expected_events(subject.period_name), expr, subject.labels)


def total(subject: Subject, series: str = names.PERIOD_EVENTS) -> str:
    """PromQL: the events of the current period so far, all and bad."""
    return ledgers.total(_window(subject), f"{series}{{{subject.history}}}", _start(subject))


def coverage(subject: Subject) -> str:
    """PromQL: the share of the elapsed part of the period for which there is a ledger entry."""
    every = f'{names.PERIOD_EVENTS}{{{subject.history},{names.EVENT}="{names.EVENT_ALL}"}}'
    return ledgers.coverage(_window(subject), every, _start(subject), but=(names.EVENT,))


def current_period(subject: Subject) -> str:
    """PromQL: 1 with the label `period` of the current one."""
    return ledgers.current_period(_start(subject))


def _window(subject: Subject) -> CalendarWindow:
    window = calendar_of(subject)
    assert window is not None
    return window


def _start(subject: Subject) -> str:
    return subject.derived(names.WINDOW_START)
