"""What the alerting tiers look at: burn rates, bad events and coverage of each of their windows.

Windows below a day are summed from the rolling pair, longer ones from the ledger. A rolling value counts 5 minutes and
one is written every minute, so a sum of N of them counts each event five times, except at its two edges: events of the
last 5 minutes are only partly in it, and it reaches 4 minutes further back. While traffic is steady over 5 minutes each
edge is worth two minutes, so `sum ÷ 5 + 0.4 × (latest rolling value − the one before the window)` mends both.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import LEDGER_INTERVAL, duration, number, seconds
from controlplane.model.alerting import AlertMethod
from controlplane.model.rule import RecordingRule, Rule
from slo.passes.legacy import legacy_windows
from slo.passes.subject import Subject

ROLLING: Final = timedelta(minutes=5)
LEDGER_SUMS_FROM: Final = timedelta(days=1)  # shorter sums come from the rolling pair, which is fresher
_MINUTE: Final = timedelta(minutes=1)
# A rolling value counts 5 minutes and is written every minute: sums of them count each event 5 times.
_OVERLAP: Final = 5
_EDGE: Final = "0.4"  # of a rolling value: two of its five minutes
_LATE: Final = "15m"  # written every 5 minutes and read every minute: look back over two missed evaluations
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
            entries = _holding(length, LEDGER_INTERVAL)
            expr = f"sum_over_time({names.LEDGER_EVENTS}{{{subject.history}}}[{entries}])"
            yield RecordingRule(names.ledger_sum(window), expr, subject.labels)


def recent_bad_events(subject: Subject) -> Iterator[Rule]:
    """Bad events of the windows below a day."""
    bad = subject.rolling(names.EVENT_BAD)
    for length in sorted(_counted_windows(subject)):
        if length < LEDGER_SUMS_FROM:
            window = duration(length)
            expr = f"sum without ({names.EVENT}) ({bad})"
            if length > ROLLING:
                expr = f"sum without ({names.EVENT}) (sum_over_time({bad}[{window}])) / {_OVERLAP}"
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
        series, entry = subject.rolling(names.EVENT_ALL), _MINUTE
        if length >= LEDGER_SUMS_FROM:
            series, entry = subject.ledger(names.EVENT_ALL), LEDGER_INTERVAL
        counted = f"sum without ({names.EVENT}) (count_over_time({series}[{window}]))"
        expr = f"clamp_max({counted} / {length // entry}, 1)"
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
    window, rolling = duration(length), f"{names.ROLLING_EVENTS}{{{subject.history}}}"
    change = f"({rolling} - ({rolling} offset {window} or 0 * {rolling}))"
    if length < LEDGER_SUMS_FROM:
        # In the first minutes of an outage its events are all in the latest value, and only partly in the sum.
        summed = f"sum_over_time({rolling}[{_holding(length, _MINUTE)}]) / {_OVERLAP}"
        return f"{summed}\n+ {_EDGE} * {change}\n> {rolling}\nor\n{rolling}"
    summed = subject.derived(names.ledger_sum(window))
    entry = number(seconds(LEDGER_INTERVAL))
    # Since the ledger's latest entry as much has come in and gone out as at the edges of the window.
    age = f"(time() - timestamp({summed}) or 0 * {rolling} + {entry})"
    return f"last_over_time({summed}[{_LATE}])\n+ ({_EDGE} + {age} / {entry})\n* {change}"


def _holding(length: timedelta, entry: timedelta) -> str:
    """A range that holds exactly `length` ÷ `entry` values, whether the engine counts one at its very beginning or not.

    Prometheus does until 2.x, and does not from 3.0 on.
    """
    minutes, rest = divmod(length - entry / 2, _MINUTE)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "m"), (rest // timedelta(seconds=1), "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count)
