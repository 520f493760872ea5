"""The rolling and the ledger pair, and what is summed from them (RULES.md, ideas 1 and 2)."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import duration, ledger_entries
from controlplane.model.rule import RecordingRule, Rule
from slo.indicator import rolling_records, usual_records
from slo.passes import calendar
from slo.passes.subject import Subject

_ROLLING_LENGTH: Final = timedelta(minutes=5)
_HOUR: Final = timedelta(hours=1)
_LEDGER_SUMS_FROM: Final = timedelta(days=1)  # shorter sums come from the rolling pair, which is fresher
# A rolling value counts 5 minutes and is written every minute: sums of them count each event 5 times.
_ROLLING_OVERLAP: Final = 5


def rolling(subject: Subject) -> Iterator[Rule]:
    """Events of the last 5 minutes, the only rules that touch the user's own series."""
    for slo in subject.slos:
        yield from rolling_records(slo)


def ledger(subject: Subject) -> Iterator[Rule]:
    """Means of five rolling values: entries add up to totals without knowing the scrape interval."""
    labels = () if subject.shared else subject.labels
    yield RecordingRule(names.LEDGER_EVENTS, f"avg_over_time({names.ROLLING_EVENTS}{{{subject.history}}}[5m])", labels)


def usual(subject: Subject) -> Iterator[Rule]:
    """What 5 minutes usually hold of each part of a composite."""
    for slo in subject.slos:
        yield from usual_records(slo)


def totals(subject: Subject) -> Iterator[Rule]:
    """Events of the whole window, of a calendar's period so far."""
    expr = f"sum_over_time({names.LEDGER_EVENTS}{{{subject.history}}}[{duration(subject.period)}])"
    if calendar.calendar_of(subject):
        expr = calendar.total(subject)
    yield RecordingRule(names.total_events(subject.period_name), expr, subject.labels)


def coverage(subject: Subject) -> Iterator[Rule]:
    """The share of the window for which there is a ledger entry, of a calendar's period so far."""
    counted = f"count_over_time({subject.ledger(names.EVENT_ALL)}[{duration(subject.period)}])"
    expr = f"sum without ({names.EVENT}) ({counted}) / {ledger_entries(subject.period)}"
    if calendar.calendar_of(subject):
        expr = calendar.coverage(subject)
    yield RecordingRule(names.WINDOW_COVERAGE, expr, subject.labels)


def recent_bad_events(subject: Subject) -> Iterator[Rule]:
    """Bad events of the short windows, from the rolling pair. The last 5 minutes and the last hour are always there."""
    bad = subject.rolling(names.EVENT_BAD)
    lengths = {_ROLLING_LENGTH, _HOUR} | {length for tier in subject.tiers for length in tier.spent_within}
    for length in sorted(length for length in lengths if length < _LEDGER_SUMS_FROM):
        window = duration(length)
        expr = f"sum without ({names.EVENT}) ({bad})"
        if length > _ROLLING_LENGTH:
            expr = f"sum without ({names.EVENT}) (sum_over_time({bad}[{window}])) / {_ROLLING_OVERLAP}"
        yield RecordingRule(names.bad_events(window), expr, subject.labels)


def long_bad_events(subject: Subject) -> Iterator[Rule]:
    """Bad events of the long windows, from the ledger."""
    lengths = {length for tier in subject.tiers for length in tier.spent_within if length >= _LEDGER_SUMS_FROM}
    for length in sorted(lengths):
        window = duration(length)
        expr = f"sum without ({names.EVENT}) (sum_over_time({subject.ledger(names.EVENT_BAD)}[{window}]))"
        yield RecordingRule(names.bad_events(window), expr, subject.labels)
