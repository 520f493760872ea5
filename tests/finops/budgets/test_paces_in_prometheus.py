"""Paces of every kind, as their rules compute them at moments of every kind, against exact decimals."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from controlplane import conventions as names
from controlplane.model.budget import Budget, Pace
from controlplane.model.rule import RecordingRule
from controlplane.model.slo import CalendarUnit, CalendarWindow
from finops.budgets.pacing import share_between, window_at
from finops.budgets.rules import CALENDARS_FILE, rule_files
from finops.budgets.window_pace import WindowPace
from tests.finops.budgets.reading import THIRTY_DAYS, a_budget
from tests.slo.evaluating import Past, past, unix, utc

WEEKEND = (*(Decimal(1),) * 5, Decimal("0.5"), Decimal("0.25"))
MONDAYS = (Decimal(1), *(Decimal(0),) * 6)


def window(unit: CalendarUnit, zone: str, start: str = "2024-01-01") -> CalendarWindow:
    return CalendarWindow(1, unit, f"{start}T00:00:00", zone)


BERLIN, HAVANA, HOWE = "Europe/Berlin", "America/Havana", "Australia/Lord_Howe"
BUDGETS: Sequence[Budget] = [
    a_budget("weekend", window=window(CalendarUnit.MONTH, BERLIN), pace=Pace(WEEKEND, time_zone=BERLIN)),
    a_budget("ends", window=window(CalendarUnit.QUARTER, BERLIN), pace=Pace(WEEKEND, Decimal(3), 3, BERLIN)),
    a_budget("havana", window=window(CalendarUnit.YEAR, HAVANA), pace=Pace(WEEKEND, Decimal("0.5"), 10, HAVANA)),
    a_budget("howe", window=window(CalendarUnit.WEEK, HOWE), pace=Pace(MONDAYS, time_zone=HOWE)),
    a_budget("rolling", window=THIRTY_DAYS, pace=Pace(WEEKEND, Decimal(2), 5, BERLIN)),
    a_budget("mid", window=window(CalendarUnit.MONTH, "UTC", "2024-01-31"), pace=Pace(WEEKEND, Decimal(4), 28)),
]
MOMENTS = [
    utc(2026, 3, 29, 1, 3),  # clocks were turned on in Berlin
    utc(2026, 10, 25, 1, 2),  # and back again
    utc(2026, 11, 1, 5, 1),  # at midnight in Havana
    utc(2026, 10, 3, 15, 31),  # by half an hour on Lord Howe
    utc(2026, 12, 31, 23, 2),
]


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    with past(tmp_path_factory.mktemp("prometheus")) as memory:
        (shared,) = (file for file in rule_files(BUDGETS) if file.name == CALENDARS_FILE)
        rules = [rule for group in shared.groups for rule in group.rules if isinstance(rule, RecordingRule)]
        for at in MOMENTS:
            for rule in rules:
                for sample in memory.backend.query(rule.expr, at):
                    labels = {**sample.labels, "__name__": rule.record, **dict(rule.labels)}
                    memory.write(labels, np.array([unix(at)]), np.array([sample.value]))
        yield memory


@pytest.mark.parametrize("at", MOMENTS, ids=str)
def test_shares_are_those_of_exact_arithmetic(memory: Past, at: datetime) -> None:
    for budget in BUDGETS:
        period = window_at(budget.window, at)
        label = rule_label(budget)
        so_far = share_between(budget.pace, period, period[0], at)
        last = share_between(budget.pace, period, at - timedelta(minutes=5), at)
        assert memory.value(f"{names.PACING_RATIO}{label}", at) == pytest.approx(float(so_far), abs=1e-9), budget.name
        assert memory.value(f"{names.PACING_SHARE}{label}", at) == pytest.approx(float(last), abs=1e-9), budget.name


def rule_label(budget: Budget) -> str:
    return f'{{pace="{WindowPace(budget.window, budget.pace).name}"}}'


def test_budgets_with_one_window_and_pace_share_its_rules() -> None:
    one, two = a_budget("one"), a_budget("two", "7")
    shared = rule_files([one, two])[0]
    assert shared.name == CALENDARS_FILE
    assert shared == rule_files([one])[0]
