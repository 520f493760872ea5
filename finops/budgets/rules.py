"""Budgets as rule files: a list of passes with one signature, as SLOs are compiled (`slo.compiler`)."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Final

from controlplane.calendar.rules import calendar_file
from controlplane.model.budget import Budget
from controlplane.model.rule import Rule, RuleFile, RuleGroup
from finops.budgets import alerts, pace_rules, spending
from finops.budgets.subject import Subject, counted_by_others

CALENDARS_FILE: Final = "finops-calendars-budgets.yaml"
_MINUTE: Final = timedelta(minutes=1)
_FIVE_MINUTES: Final = timedelta(minutes=5)
Pass = Callable[[Subject], Iterator[Rule]]

# In this order: a pass may read what an earlier one wrote.
EVERY_MINUTE: Final[tuple[Pass, ...]] = (
    spending.info,
    spending.rolling,
    spending.other_currencies,
    spending.sums,
    spending.burn_rates,
    alerts.pages,
    alerts.spike,
    alerts.stale,
)
EVERY_FIVE_MINUTES: Final[tuple[Pass, ...]] = (
    spending.window,
    spending.ledger,
    spending.spent,
    spending.ledger_sums,
    spending.usual_hour,
    alerts.forecast_ratio,
    alerts.spent,
    alerts.forecasts,
    alerts.tickets,
    alerts.other_currency,
)


def rule_files(budgets: Sequence[Budget], external_url: str = "") -> tuple[RuleFile, ...]:
    """A file for each budget and, before them, one that they share; none without budgets.

    `external_url` is the console's address, empty when it has none. The same budgets give the same files.
    """
    subjects = [
        Subject(budget, external_url, counted_by_others(budget, budgets))
        for budget in sorted(budgets, key=lambda budget: budget.name)
    ]
    return (*_shared_file(subjects), *(_file(subject) for subject in subjects))


def _shared_file(subjects: Sequence[Subject]) -> Iterator[RuleFile]:
    """When windows begin and end, and how the money of each is expected to spread."""
    if not subjects:
        return
    calendars = calendar_file(
        (subject.budget.window for subject in subjects),
        name=CALENDARS_FILE,
        group="budgets:calendars",
        of=pace_rules.CALENDARS_OF,
    )
    paces = {subject.pace.name: subject.pace for subject in subjects}
    rules = tuple(rule for _, pace in sorted(paces.items()) for rule in pace_rules.rules(pace))
    groups = calendars.groups if calendars else ()
    yield RuleFile(CALENDARS_FILE, (*groups, RuleGroup("budgets:paces", _MINUTE, rules)))


def _file(subject: Subject) -> RuleFile:
    name = subject.budget.name
    return RuleFile(
        f"finops-budgets-{name}.yaml",
        (
            RuleGroup(f"budget:{name}:1m", _MINUTE, _rules(subject, EVERY_MINUTE)),
            RuleGroup(f"budget:{name}:5m", _FIVE_MINUTES, _rules(subject, EVERY_FIVE_MINUTES)),
        ),
    )


def _rules(subject: Subject, passes: Sequence[Pass]) -> tuple[Rule, ...]:
    return tuple(rule for each in passes for rule in each(subject))
