"""Exclusions: what happens in a planned one is not counted, and what did in one declared later is taken out again.

While an exclusion lasts, what was measured is recorded beside the rolling pair, which then shows no events: alerts are
quiet and the ledger does not move. It fails open: without `slo:excluded` everything counts. Of the intervals that had
begun before their rules ran, the rolling values that are left in them are subtracted from the window's totals; where an
interval was planned none are left, so both ways give the same (RULES.md, "Exclusions").
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import duration
from controlplane.calendar.intervals import Run, Span, merged, runs
from controlplane.calendar.periods import periods_between, unix
from controlplane.model.exclusion import Exclusion
from controlplane.model.rule import AlertingRule, RecordingRule, Rule
from controlplane.model.slo import SLO, CalendarWindow
from slo.passes import calendar
from slo.passes.subject import Subject

_ROLLING_SECONDS: Final = 300  # how far a rolling value looks back
_ROLLING_OVERLAP: Final = 5  # a rolling value is written every minute: sums of them count each event 5 times
# Who declares a recurring exclusion late does so after a few occurrences. Each costs two small sums per evaluation.
MOST_AFTERWARDS: Final = 31
_MOST_PIECES: Final = 100
_DAY: Final = timedelta(days=1)


def active(subject: Subject) -> Iterator[Rule]:
    """1 while a rolling value may hold events of an excluded interval, else 0."""
    for slo in subject.slos:
        for exclusion in slo.exclusions:
            labels = ((names.SLO, slo.name), (names.EXCLUSION, exclusion.name))
            yield RecordingRule(names.EXCLUDED, f"clamp_max(vector(\n{_activity(exclusion)}\n), 1)", labels)


def taken_out(slo: SLO, records: Iterator[RecordingRule]) -> Iterator[RecordingRule]:
    """The rolling pair without what is excluded now, beside the pair as it was measured, and what was taken out."""
    if not slo.exclusions:
        yield from records
        return
    yield from (_as_raw(record) for record in records)
    own = ((names.SLO, slo.name),)
    raw = f'{names.RAW_ROLLING}{{{names.SLO}="{slo.name}"}}'
    now = f'max({names.EXCLUDED}{{{names.SLO}="{slo.name}"}})'
    yield RecordingRule(names.ROLLING_EVENTS, f"{raw}\n* (1 - scalar({now} or vector(0)))", own)
    yield RecordingRule(names.EXCLUDED_ROLLING, f"{raw}\nand on ()\n{now} == 1", own)


def excluded_ledger(subject: Subject) -> Iterator[Rule]:
    """What was taken out of the ledger; absent while nothing is."""
    if not subject.has_exclusions:
        return
    out, of = (f"{name}{{{subject.history}}}[5m]" for name in (names.EXCLUDED_ROLLING, names.ROLLING_EVENTS))
    expr = f"sum_over_time({out}) / count_over_time({of})"
    yield RecordingRule(names.EXCLUDED_LEDGER, expr, subject.labels)
    if calendar.calendar_of(subject):
        yield RecordingRule(names.EXCLUDED_PERIOD, calendar.with_period(subject, expr), subject.labels)


def raw_totals(subject: Subject) -> Iterator[Rule]:
    """Events of the whole window, excluded ones too, and the sum of the ledger that is adjusted further on."""
    if not subject.has_exclusions:
        return
    if calendar.calendar_of(subject):
        left, out = calendar.total(subject), calendar.total(subject, names.EXCLUDED_PERIOD)
    else:
        left, out = (
            f"sum_over_time({name}{{{subject.history}}}[{duration(subject.period)}])"
            for name in (names.LEDGER_EVENTS, names.EXCLUDED_LEDGER)
        )
    yield RecordingRule(names.unadjusted_events(subject.period_name), left, subject.labels)
    sum_ = unadjusted(subject)
    expr = f"{sum_}\n+ ({out} or 0 * {sum_})"
    yield RecordingRule(names.raw_total_events(subject.period_name), expr, subject.labels)


def adjusted_total(subject: Subject) -> str:
    """PromQL: the window's events without what is left of excluded intervals; empty when nothing is excluded."""
    if not subject.has_exclusions:
        return ""
    sum_ = unadjusted(subject)
    terms = "".join(f"\n- ({piece}\n  or 0 * {sum_})" for piece in _pieces(subject))
    return f"clamp_min(\n{sum_}{terms},\n0\n)"


def raw_budget(subject: Subject) -> Iterator[Rule]:
    """The share of the budget that would be left if nothing were excluded."""
    if not subject.has_exclusions:
        return
    name = names.raw_total_events(subject.period_name)
    bad, every = (
        f'sum without ({names.EVENT}) ({name}{{{subject.matcher},{names.EVENT}="{event}"}})'
        for event in (names.EVENT_BAD, names.EVENT_ALL)
    )
    whole = f"{every} / {subject.derived(names.WINDOW_COVERAGE)}"
    if calendar.calendar_of(subject):
        expected = subject.derived(names.expected_events(subject.period_name))
        whole = f"({expected} + {every} - sum without ({names.EVENT}) ({subject.total(names.EVENT_ALL)}))"
    expr = f"1 - {bad}\n/ ({whole} {subject.by_budget_ratio('*')} > 0)"
    yield RecordingRule(names.RAW_BUDGET_REMAINING, expr, subject.labels)


def quiet(subject: Subject, rules: Sequence[Rule]) -> Iterator[Rule]:
    """Nobody is told that data is missing while it may be."""
    if not subject.has_exclusions:
        yield from rules
        return
    for rule in rules:
        if isinstance(rule, AlertingRule) and rule.alert == names.ALERT_NO_DATA:
            excluded = f"max({names.EXCLUDED}{{{subject.matcher}}}) == 1"
            yield replace(rule, expr=f"({rule.expr})\nunless on ()\n{excluded}")
        else:
            yield rule


def unadjusted(subject: Subject) -> str:
    """The sum of the ledger over the window."""
    return subject.derived(names.unadjusted_events(subject.period_name))


def _as_raw(record: RecordingRule) -> RecordingRule:
    name = names.RAW_ROLLING if record.record == names.ROLLING_EVENTS else record.record
    expr = record.expr.replace(f"{names.ROLLING_EVENTS}{{", f"{names.RAW_ROLLING}{{")
    return replace(record, record=name, expr=expr)


@lru_cache(maxsize=256)  # many SLOs share an exclusion
def _activity(exclusion: Exclusion) -> str:
    """A scalar that is 1 from the begin of an interval until no rolling value looks back into it."""
    return "\n+ ".join(_active_in(run) for run in runs(_spans(exclusion)))


def _active_in(run: Run) -> str:
    """From the second after the begin of an interval: a rolling value at its begin holds nothing of it."""
    first, lasts = run.first + 1, run.length + _ROLLING_SECONDS - 1
    within = f"(time() >= bool {first}) * (time() < bool {run.last + 1 + lasts})"
    if run.count == 1:
        return within
    return f"{within} * ((time() - {first}) % {run.step} < bool {lasts})"


@lru_cache(maxsize=256)
def _spans(exclusion: Exclusion) -> tuple[Span, ...]:
    return merged((unix(start), unix(end)) for start, end in exclusion.intervals)


def _pieces(subject: Subject) -> Iterator[str]:
    """Sums of the events that are left in intervals, each until it has left the window."""
    spans = [span for each in subject.only.exclusions for span in _spans(each)[:MOST_AFTERWARDS]]
    looked_at = merged((start, end + _ROLLING_SECONDS) for start, end in spans)[:_MOST_PIECES]
    window = subject.only.window
    for start, end in looked_at:
        if isinstance(window, CalendarWindow):
            yield from _within_periods(subject, window, (start, end))
            continue
        gone = end + int(subject.period.total_seconds())
        # Its entries leave the window one after the other, for as long as it lasted.
        share = f"scalar(clamp(vector(({gone} - time()) / {end - start}), 0, 1))"
        yield f"{_left_in(subject, start, end)}\n  * {share}"


def _within_periods(subject: Subject, window: CalendarWindow, span: Span) -> Iterator[str]:
    """The part of it that falls into each period, while that is the current one."""
    first, last = (datetime.fromtimestamp(at, UTC) for at in span)
    for begin, end in periods_between(window, first, last):
        start, stop = max(span[0], unix(begin)), min(span[1], unix(end))
        if start < stop:
            is_current = f"(scalar({subject.derived(names.WINDOW_START)}) == bool {unix(begin)})"
            yield f"{_left_in(subject, start, stop)}\n  * {is_current}"


def _left_in(subject: Subject, start: int, end: int) -> str:
    """Events of the rolling values after `start` and before `end`; of a backfilled past, of the ledger's entries.

    Those were not averaged: like a rolling value each counts the five minutes before it.
    """
    # Whole seconds, one less on either side: ranges are closed in Prometheus 2 and open to the left in Prometheus 3.
    within = f"{{{subject.history}}}[{end - start - 2}s] @ {end - 1}"
    rolling, ledger = (f"sum_over_time({name}{within})" for name in (names.ROLLING_EVENTS, names.LEDGER_EVENTS))
    return f"({rolling} / {_ROLLING_OVERLAP} or {ledger})"
