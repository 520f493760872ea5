"""A Prometheus that was down for forty minutes: what nobody measured is missing, and nothing is made up for it."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from controlplane import conventions as names
from controlplane.model.slo import RollingWindow
from finops.budgets.rules import rule_files
from tests.finops.budgets import evaluating
from tests.finops.budgets.evaluating import FIVE_MINUTES, Evaluation, Spend, evaluate
from tests.finops.budgets.reading import a_budget
from tests.slo.evaluating import Past, past, utc

START, DOWN, UP, END = (utc(2026, 5, 4, *at) for at in ((6,), (12,), (12, 40), (14, 30)))
BUDGET = a_budget("two-days", "96", window=RollingWindow(timedelta(days=2)), forecast=(), spike=None)
A_MINUTE = 96 / 2880 * 0.9  # nine tenths of the pace


@pytest.fixture(scope="module")
def restarted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Past, list[Evaluation]]]:
    minutes = (END - START) // timedelta(minutes=1)
    spend = Spend(START, np.full(minutes, round(A_MINUTE * 1e6), dtype=np.int64), np.ones(minutes, dtype=np.bool_))
    spend.known[(DOWN - START) // timedelta(minutes=1) : (UP - START) // timedelta(minutes=1)] = False
    with past(tmp_path_factory.mktemp("prometheus")) as memory:
        evaluating.write(memory, spend, {"service": "a"})
        evaluations = [evaluate(memory, rule_files([BUDGET]), part) for part in ((START, DOWN), (UP, END))]
        yield memory, evaluations


def test_what_was_spent_goes_on_from_where_it_was(restarted: tuple[Past, list[Evaluation]]) -> None:
    memory, _ = restarted
    before, after = (memory.value(names.BUDGET_SPENT, at) for at in (DOWN, UP + FIVE_MINUTES))
    assert before is not None
    assert after is not None
    assert before == pytest.approx(A_MINUTE * 360, rel=0.01)
    assert 0 < after - before <= A_MINUTE * 10
    spent = memory.value(names.BUDGET_SPENT, END)
    assert spent == pytest.approx(A_MINUTE * (510 - 40), rel=0.01)
    assert memory.value(names.BUDGET_COVERAGE, END) == pytest.approx(float(Decimal(470) / 2880), abs=0.005)


@pytest.mark.parametrize("after", [2, 20, 100])
def test_burn_rates_are_as_they_were(restarted: tuple[Past, list[Evaluation]], after: int) -> None:
    memory, _ = restarted
    for window in ("5m", "30m", "1h", "6h"):
        rate = memory.value(names.budget_burn_rate(window), UP + timedelta(minutes=after))
        assert rate == pytest.approx(0.9, rel=0.01), window


def test_nobody_is_told(restarted: tuple[Past, list[Evaluation]]) -> None:
    assert [evaluation.held for evaluation in restarted[1]] == [{}, {}]
