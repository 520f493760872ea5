"""The rolling and the ledger pair, and what is summed from them (RULES.md, ideas 1 and 2)."""

from collections.abc import Iterator

from controlplane import conventions as names
from controlplane.burn_rate import duration, ledger_entries, ledger_entry
from controlplane.model.rule import RecordingRule, Rule
from slo.indicators.indicator import usual_records
from slo.passes import calendar, exclusions
from slo.passes.subject import Subject
from slo.passes.traffic import rolling_under_policy


def rolling(subject: Subject) -> Iterator[Rule]:
    """Events of the last 5 minutes, the only rules that touch the user's own series."""
    for slo in subject.slos:
        yield from exclusions.taken_out(slo, rolling_under_policy(slo))


def ledger(subject: Subject) -> Iterator[Rule]:
    """Means of five rolling values: entries add up to totals without knowing the scrape interval."""
    labels = () if subject.shared else subject.labels
    yield RecordingRule(names.LEDGER_EVENTS, ledger_entry(f"{names.ROLLING_EVENTS}{{{subject.history}}}"), labels)


def usual(subject: Subject) -> Iterator[Rule]:
    """What 5 minutes usually hold of each part of a composite."""
    for slo in subject.slos:
        yield from usual_records(slo)


def totals(subject: Subject) -> Iterator[Rule]:
    """Events of the whole window, of a calendar's period so far."""
    expr = f"sum_over_time({names.LEDGER_EVENTS}{{{subject.history}}}[{duration(subject.period)}])"
    if calendar.calendar_of(subject):
        expr = calendar.total(subject)
    expr = exclusions.adjusted_total(subject) or expr
    yield RecordingRule(names.total_events(subject.period_name), expr, subject.labels)


def coverage(subject: Subject) -> Iterator[Rule]:
    """The share of the window for which there is a ledger entry, of a calendar's period so far."""
    counted = f"count_over_time({subject.ledger(names.EVENT_ALL)}[{duration(subject.period)}])"
    expr = f"sum without ({names.EVENT}) ({counted}) / {ledger_entries(subject.period)}"
    if calendar.calendar_of(subject):
        expr = calendar.coverage(subject)
    yield RecordingRule(names.WINDOW_COVERAGE, expr, subject.labels)
