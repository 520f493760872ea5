"""What the alerting tiers look at: burn rates, bad events and coverage of each of their windows.

Windows below a day are summed from the rolling pair, longer ones from the ledger (`controlplane.burn_rate`).
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import (
    LEDGER_SUMS_FROM,
    ROLLING,
    ROLLING_OVERLAP,
    duration,
    entries_of,
    ledger_sum,
    sum_up_to_now,
)
from controlplane.model.alerting import AlertMethod
from controlplane.model.rule import RecordingRule, Rule
from slo.passes.legacy import legacy_windows
from slo.passes.subject import Subject

# What dashboards and the console show of every SLO, whatever its tiers are.
_ALWAYS_RATES: Final = tuple(timedelta(minutes=minutes) for minutes in (5, 30, 60, 120, 360))
_ALWAYS_COUNTED: Final = (ROLLING, timedelta(hours=1), timedelta(hours=6), LEDGER_SUMS_FROM)


def burn_rates(subject: Subject) -> Iterator[Rule]:
    """Error ratio over the budget ratio for the windows of the tiers; absent without traffic."""
    for length in sorted(_rate_windows(subject)):
        window = duration(length)
        if _is_summed(subject, length):
            yield RecordingRule(names.summed_events(window), _sum_up_to_now(subject, length), subject.labels)
        bad, every = (_events(subject, event, length) for event in (names.EVENT_BAD, names.EVENT_ALL))
        expr = f"{bad}\n/ ignoring ({names.EVENT})\n({every} > 0) {subject.by_budget_ratio('/')}"
        yield RecordingRule(names.burn_rate(window), expr, subject.labels)


def ledger_sums(subject: Subject) -> Iterator[Rule]:
    """Events of the windows of a day or more for which there are burn rates, as far as the ledger knows."""
    for length in sorted(_rate_windows(subject)):
        if length >= LEDGER_SUMS_FROM:
            window = duration(length)
            expr = ledger_sum(f"{names.LEDGER_EVENTS}{{{subject.history}}}", length)
            yield RecordingRule(names.ledger_sum(window), expr, subject.labels)


def recent_bad_events(subject: Subject) -> Iterator[Rule]:
    """Bad events of the windows below a day."""
    bad = subject.rolling(names.EVENT_BAD)
    for length in sorted(_counted_windows(subject)):
        if length < LEDGER_SUMS_FROM:
            window = duration(length)
            expr = f"sum without ({names.EVENT}) ({bad})"
            if length > ROLLING:
                expr = f"sum without ({names.EVENT}) (sum_over_time({bad}[{window}])) / {ROLLING_OVERLAP}"
            yield RecordingRule(names.bad_events(window), expr, subject.labels)


def long_bad_events(subject: Subject) -> Iterator[Rule]:
    """Bad events of the windows of a day or more."""
    for length in sorted(_counted_windows(subject)):
        if length >= LEDGER_SUMS_FROM:
            window = duration(length)
            expr = f"sum without ({names.EVENT}) (sum_over_time({subject.ledger(names.EVENT_BAD)}[{window}]))"
            yield RecordingRule(names.bad_events(window), expr, subject.labels)


def coverages(subject: Subject) -> Iterator[Rule]:
    """The measured share of each window that an alert looks at: what it says of a window that is partly empty is less.

    Counted every 5 minutes, so that it costs a twentieth of what the alerts themselves cost.
    """
    lengths = {length for tier in subject.tiers for length in (tier.short, tier.long, *tier.spent_within)}
    for length in sorted(lengths):
        window = duration(length)
        series = subject.rolling(names.EVENT_ALL)
        if length >= LEDGER_SUMS_FROM:
            series = subject.ledger(names.EVENT_ALL)
        counted = f"sum without ({names.EVENT}) (count_over_time({series}[{window}]))"
        expr = f"clamp_max({counted} / {entries_of(length)}, 1)"
        yield RecordingRule(names.window_coverage(window), expr, subject.labels)


def _rate_windows(subject: Subject) -> set[timedelta]:
    windows = {*_ALWAYS_RATES, *(tier.short for tier in subject.tiers)}
    if subject.method is AlertMethod.BURN_RATE:
        windows |= {tier.long for tier in subject.tiers}
    if not subject.shared:
        windows |= legacy_windows(subject.only)
    return {length for length in windows if length < subject.period}


def _counted_windows(subject: Subject) -> set[timedelta]:
    always = {length for length in _ALWAYS_COUNTED if length <= subject.period}
    return always | {length for tier in subject.tiers for length in tier.spent_within}


def _is_summed(subject: Subject, length: timedelta) -> bool:
    """Whether a burn rate is that of a sum whose edges are mended: when alerts ask for rates only, or from a day on."""
    return length > ROLLING and (subject.method is AlertMethod.BURN_RATE or length >= LEDGER_SUMS_FROM)


def _events(subject: Subject, event: str, length: timedelta) -> str:
    """The events of a window that ends now; without mended edges five times too many, on both sides of a fraction."""
    if length == ROLLING:
        return subject.rolling(event)
    if _is_summed(subject, length):
        return f'{names.summed_events(duration(length))}{{{subject.matcher},{names.EVENT}="{event}"}}'
    return f"sum_over_time({subject.rolling(event)}[{duration(length)}])"


def _sum_up_to_now(subject: Subject, length: timedelta) -> str:
    """All and bad events of a window that ends now, with its edges mended."""
    rolling = f"{names.ROLLING_EVENTS}{{{subject.history}}}"
    return sum_up_to_now(rolling, length, subject.derived(names.ledger_sum(duration(length))))
