"""What was spent and what was expected: rolling series, ledgers, sums of windows and burn rates.

Spend and expected spend are a pair, as bad events and all events are of an SLO: the same sums are made of both
(`controlplane.burn_rate`), and a burn rate is the ratio of two sums. What is expected is recorded only while spend is
known, so that a gap is missing in both, and moves no burn rate.
"""

from collections.abc import Iterator

from controlplane import conventions as names
from controlplane.burn_rate import (
    duration,
    ledger_entries,
    ledger_sum,
    number,
    sum_up_to_now,
    window_name,
)
from controlplane.calendar import ledgers
from controlplane.calendar.rules import bounds
from controlplane.model.rule import RecordingRule, Rule
from finops.budgets.pace_rules import CALENDARS_OF
from finops.budgets.pacing import least_expected
from finops.budgets.subject import ENTRIES_AN_HOUR, Subject, from_ledger
from finops.pricing.expressions import each_evaluation
from finops.pricing.selectors import quoted

_USUAL: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("weeks", ("1w", "2w", "3w", "4w")),
    ("days", ("1d", "2d", "3d")),
)


def rolling(subject: Subject) -> Iterator[Rule]:
    """Money of the last 5 minutes: the only rules that touch the spend of services. Currencies are never added."""
    own = f"sum ({subject.spend(names.SPEND_ROLLING)})"
    if subject.budget.absent_is_zero:
        any_spend = f"{names.SPEND_ROLLING}{{{names.CURRENCY}={quoted(subject.budget.currency)}}}"
        own = f"{own}\nor\n0 * sum ({any_spend})"
    yield RecordingRule(names.BUDGET_ROLLING, own, subject.labels)
    expected = f"{number(subject.budget.amount)} * {subject.paced(names.PACING_SHARE)}"
    spent = subject.series(names.BUDGET_ROLLING)
    yield RecordingRule(names.BUDGET_EXPECTED, f"{expected}\nand on ()\n{spent}", subject.labels)


def other_currencies(subject: Subject) -> Iterator[Rule]:
    """Spend that fits the scope but is in another currency: told, not counted."""
    others = f"sum by ({names.CURRENCY}) ({subject.spend(names.SPEND_ROLLING, '!=')})"
    yield RecordingRule(names.BUDGET_OTHER_CURRENCY, others, ((names.BUDGET, subject.budget.name),))


def ledger(subject: Subject) -> Iterator[Rule]:
    """Every 5 minutes: entries that add up to totals, of a calendar window with its period."""
    spent = _entry(subject, names.BUDGET_ROLLING)
    yield RecordingRule(names.BUDGET_LEDGER, spent, subject.labels)
    expected = _entry(subject, names.BUDGET_EXPECTED)
    yield RecordingRule(names.BUDGET_EXPECTED_LEDGER, expected, subject.labels)
    if subject.calendar is not None:
        entry = ledgers.with_period(spent, subject.series(names.BUDGET_START))
        yield RecordingRule(names.BUDGET_PERIOD_LEDGER, entry, subject.labels)


def _entry(subject: Subject, rolling: str) -> str:
    """What the rolling values of 5 minutes say together ÷ 5, as the ledger of all spend has it.

    Their mean would charge a job for five minutes that has spent for one. `info` is recorded with the rolling values,
    whatever is spent.
    """
    return each_evaluation(subject.series(rolling), subject.series(names.BUDGET_INFO))


def window(subject: Subject) -> Iterator[Rule]:
    """When the window began and when it ends."""
    if subject.calendar is not None:
        began, ends = bounds(subject.calendar, CALENDARS_OF)
    else:
        length = int(subject.budget.window.length.total_seconds())
        began, ends = f"vector(time() - {length})", "vector(time())"
    yield RecordingRule(names.BUDGET_START, began, subject.labels)
    yield RecordingRule(names.BUDGET_END, ends, subject.labels)


def sums(subject: Subject) -> Iterator[Rule]:
    """Money spent and expected in every window that somebody looks at, up to this minute."""
    for length in subject.summed():
        name = duration(length)
        for record, rolling_name, of_ledger in (
            (names.budget_spend(name), names.BUDGET_ROLLING, names.budget_spend_ledger(name)),
            (names.budget_expected(name), names.BUDGET_EXPECTED, names.budget_expected_ledger(name)),
        ):
            expr = sum_up_to_now(subject.series(rolling_name), length, subject.series(of_ledger))
            yield RecordingRule(record, expr, subject.labels)


def ledger_sums(subject: Subject) -> Iterator[Rule]:
    """What the ledgers hold of windows of a day and more."""
    for length in filter(from_ledger, subject.lengths):
        name = duration(length)
        for record, of in (
            (names.budget_spend_ledger(name), names.BUDGET_LEDGER),
            (names.budget_expected_ledger(name), names.BUDGET_EXPECTED_LEDGER),
        ):
            yield RecordingRule(record, ledger_sum(subject.series(of), length), subject.labels)


def burn_rates(subject: Subject) -> Iterator[Rule]:
    """Money spent ÷ money expected, for every window; of next to nothing expected, see `least_expected`."""
    for length in subject.lengths:
        least = number(least_expected(subject.budget, length))
        expr = f"{subject.spent_in(length)}\n/ clamp_min({subject.expected_in(length)}, {least})"
        yield RecordingRule(names.budget_burn_rate(duration(length)), expr, subject.labels)


def spent(subject: Subject) -> Iterator[Rule]:
    """What was spent in the window so far, as money and as a share; and the share that should have been."""
    amount = number(subject.budget.amount)
    yield RecordingRule(names.BUDGET_AMOUNT, f"vector({amount})", subject.labels)
    start = subject.series(names.BUDGET_START)
    length = subject.budget.window.length
    if subject.calendar is not None:
        entries = subject.series(names.BUDGET_PERIOD_LEDGER)
        total = ledgers.total(subject.calendar, entries, start)
        coverage = ledgers.coverage(subject.calendar, entries, start)
    else:
        entries = subject.series(names.BUDGET_LEDGER)
        total = ledger_sum(entries, length)
        coverage = f"clamp_max(count_over_time({entries}[{duration(length)}]) / {ledger_entries(length)}, 1)"
    yield RecordingRule(names.BUDGET_SPENT, total, subject.labels)
    yield RecordingRule(names.BUDGET_SPENT_RATIO, f"{subject.series(names.BUDGET_SPENT)} / {amount}", subject.labels)
    yield RecordingRule(names.BUDGET_PACE_RATIO, subject.paced(names.PACING_RATIO), subject.labels)
    yield RecordingRule(names.BUDGET_COVERAGE, coverage, subject.labels)


def usual_hour(subject: Subject) -> Iterator[Rule]:
    """What the hour that ends now cost on earlier days and weeks: the median of those that were measured."""
    if subject.budget.spike is None:
        return
    entries = subject.series(names.BUDGET_LEDGER)
    for of, offsets in _USUAL:
        hours = "\n  or\n".join(_hour(entries, offset) for offset in offsets)
        expr = f"quantile (0.5,\n{hours}\n)"
        yield RecordingRule(names.BUDGET_USUAL_HOUR, expr, (*subject.labels, ("of", of)))


def _hour(entries: str, offset: str) -> str:
    """An earlier hour, as if all of it had been measured; only where half of it was."""
    mean = f"avg_over_time({entries}[1h] offset {offset})"
    known = f"count_over_time({entries}[1h] offset {offset}) >= {ENTRIES_AN_HOUR // 2}"
    return f'  label_replace({ENTRIES_AN_HOUR} * {mean} and {known}, "ago", "{offset}", "", "")'


def info(subject: Subject) -> Iterator[Rule]:
    """1 for each evaluation, with what people call the budget."""
    budget = subject.budget
    described = (
        ("owner", budget.owner),
        ("window", window_name(budget.window)),
        (names.PACE, subject.pace.name),
        ("display_name", budget.display_name),
    )
    known = tuple((key, value) for key, value in described if value)
    yield RecordingRule(names.BUDGET_INFO, "vector(1)", (*subject.labels, *known))
