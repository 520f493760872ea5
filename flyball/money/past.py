"""What the rules of prices, budgets and unit costs would have recorded, had they run before they were declared.

Rolling values, and what they read, are computed every 5 minutes, and every minute of the hours that burn rates look at.
A ledger entry is the mean of the rolling values in its 5 minutes, which is the one of its own moment where no more were
computed: so the entries follow one another without overlap. What is derived from ledgers is computed for charts, and
once for the first alerts.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import LEDGER_INTERVAL
from controlplane.model.rule import RecordingRule, RuleFile
from controlplane.ports import MetricsBackend, SeriesWriter
from finops.budgets.pace_rules import CALENDARS_OF
from flyball.money.compiling import money_rule_files
from flyball.money.declared import MoneyDeclared
from slo.cold_start import (
    ROLLING_PAST,
    ROLLING_STEP,
    calendars_course,
    evaluate_in,
    evaluate_once,
    evaluate_over,
    reads_of,
    staged,
)
from slo.compiler import CompileOptions

_ROLLING: Final = ":rolling5m"
_ENTRIES: Final = (":ledger5m", ":period5m")
_CALENDARS: Final = "slo:calendar:"  # computed by arithmetic: their tables take Prometheus long
_COURSE: Final = frozenset(
    {names.BUDGET_SPENT, names.BUDGET_SPENT_RATIO, names.BUDGET_PACE_RATIO, names.BUDGET_COVERAGE, names.BUDGET_AMOUNT}
)

Progress = Callable[[float], None]


def write_past(
    money: MoneyDeclared,
    backend: MetricsBackend,
    writer: SeriesWriter,
    *,
    start: datetime,
    end: datetime,
    now: Callable[[], datetime] | None = None,
    progress: Progress = lambda share: None,
) -> int:
    """Compute and write everything from `start` to before `end` (whole 5 minutes); the number of points.

    What is derived from it is computed for the first alerts and readers, too: for `now` as it is then, else for `end`.
    The user's own series must be there already. Writes in the order of time as far as one series is concerned.
    """
    rules = list(_recording(money_rule_files(money, CompileOptions())))
    entries = [rule for rule in rules if rule.record.endswith(_ENTRIES)]
    read = _closure(rules, lambda rule: rule.record.endswith((_ROLLING, *_ENTRIES))) - {rule.record for rule in entries}
    writer.write(calendars_course((budget.window for budget in money.budgets), start, end, CALENDARS_OF))
    flow = [rule for rule in rules if rule.record in read]
    last = end - LEDGER_INTERVAL
    recent = max(start, end - ROLLING_PAST)
    stretches = [
        each
        for each in ((start, recent - LEDGER_INTERVAL, LEDGER_INTERVAL), (recent, end - ROLLING_STEP, ROLLING_STEP))
        if each[0] <= each[1]
    ]
    points = evaluate_in(staged(flow), backend, writer, stretches, lambda share: progress(0.7 * share))
    points += evaluate_in([entries], backend, writer, [(start, last, LEDGER_INTERVAL)])
    progress(0.8)
    derived = [rule for rule in rules if rule.record not in read and not rule.record.endswith(_ENTRIES)]
    shown = _closure(derived, lambda rule: rule.record in _COURSE)
    course = staged([rule for rule in derived if rule.record in shown])
    points += evaluate_over(course, backend, writer, start=start, end=end, progress=lambda s: progress(0.8 + 0.15 * s))
    return points + evaluate_once(staged(derived), backend, writer, now() if now else end)


def _recording(files: Iterable[RuleFile]) -> Iterator[RecordingRule]:
    for file in files:
        for group in file.groups:
            for rule in group.rules:
                if isinstance(rule, RecordingRule) and not rule.record.startswith(_CALENDARS):
                    yield rule


def _closure(rules: Sequence[RecordingRule], wanted: Callable[[RecordingRule], bool]) -> set[str]:
    """The names of the wanted rules, and of all that they read, directly or not."""
    known = {rule.record for rule in rules}
    reads: dict[str, set[str]] = {}
    for rule in rules:
        reads.setdefault(rule.record, set()).update(reads_of(rule) & known)
    found: set[str] = set()
    due = {rule.record for rule in rules if wanted(rule)}
    while due:
        found |= due
        due = {name for each in due for name in reads[each]} - found
    return found
