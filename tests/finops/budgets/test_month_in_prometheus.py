"""A month of spend in a real Prometheus, against exact decimals: March in Berlin, with incidents, a gap and a spike."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from controlplane import conventions as names
from controlplane.calendar.periods import period_at
from controlplane.model.budget import Spike
from finops.budgets.pacing import pace_ratio, share_between
from finops.budgets.replaying import Replay, replay
from finops.budgets.rules import rule_files
from tests.finops.budgets import evaluating
from tests.finops.budgets.evaluating import FIVE_MINUTES, Evaluation, Spend, evaluate, write_calendar
from tests.finops.budgets.reading import BERLIN_MONTH, a_budget
from tests.slo.evaluating import Past, past, unix, utc

START, END = utc(2026, 2, 27), utc(2026, 4, 1)
MARCH = period_at(BERLIN_MONTH, utc(2026, 3, 10))
GAP = (utc(2026, 3, 18, 9), utc(2026, 3, 18, 11))
BLOW = utc(2026, 3, 11, 14)  # spend at 25 times its pace for 90 minutes
SPIKE = utc(2026, 3, 25, 4)  # five times the usual of a quiet hour
TOKENS = (("resource", ("token",)),)
LLM = a_budget("llm", "5000", window=BERLIN_MONTH, scope=TOKENS, spike=Spike(Decimal(3), Decimal(4)))
CLOSELY = (
    (BLOW - timedelta(hours=1), BLOW + timedelta(hours=27)),
    (GAP[0] - timedelta(hours=1), GAP[1] + timedelta(hours=1)),
    (SPIKE - timedelta(hours=1), SPIKE + timedelta(hours=3)),
)


def spend() -> Spend:
    """About 4,300 USD a month: busy by day, with what happened in March."""
    minutes = (END - START) // timedelta(minutes=1)
    at = np.arange(minutes)
    random = np.random.default_rng(4)
    hours = at / 60 % 24
    usd = 4300 / 743 / 60 * (1 + 0.5 * np.sin((hours - 8) / 24 * 2 * np.pi)) * random.uniform(0.95, 1.05, minutes)
    micros = np.round(usd * 1e6).astype(np.int64)

    def place(when: datetime) -> int:
        return (when - START) // timedelta(minutes=1)

    micros[place(BLOW) : place(BLOW) + 90] *= 25
    micros[place(SPIKE) : place(SPIKE) + 60] *= 5
    known = np.ones(minutes, dtype=np.bool_)
    known[place(GAP[0]) : place(GAP[1])] = False
    return Spend(START, micros, known)


@dataclass(frozen=True)
class Month:
    """What Prometheus remembers, what its alerts did, and what was spent."""

    memory: Past
    evaluation: Evaluation
    spend: Spend

    def value(self, name: str, budget: str, at: datetime) -> float | None:
        return self.memory.value(f'{name}{{budget="{budget}"}}', at)


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    spent = spend()
    with past(tmp_path_factory.mktemp("prometheus")) as memory:
        evaluating.write(memory, spent, {"resource": "token", "service": "assistant", "model": "m"})
        write_calendar(memory, BERLIN_MONTH, START, END)
        evaluation = evaluate(memory, rule_files([LLM]), (START, END), CLOSELY)
        yield Month(memory, evaluation, spent)


MINUTE, NINE = timedelta(minutes=1), timedelta(minutes=9)


@pytest.mark.parametrize("at", [utc(2026, 3, 1, 5), utc(2026, 3, 5, 12), utc(2026, 3, 11, 15, 5), utc(2026, 3, 18, 8)])
def test_what_was_spent_is_exact_but_for_the_ledgers_delay(month: Month, at: datetime) -> None:
    """The last entry is a mean of rolling values that reach back 9 minutes; nothing else may be missing or doubled."""
    measured = Decimal(month.value(names.BUDGET_SPENT, "llm", at) or 0)
    tiny = Decimal("1e-6")
    assert month.spend.between(MARCH[0], at - NINE) - tiny <= measured
    assert measured <= month.spend.between(MARCH[0] - NINE, at) + tiny


@pytest.mark.parametrize("at", [utc(2026, 3, 18, 12), utc(2026, 3, 29, 6), utc(2026, 3, 31, 21, 55)])
def test_after_a_gap_what_it_hid_is_missing_and_nothing_else(month: Month, at: datetime) -> None:
    measured = Decimal(month.value(names.BUDGET_SPENT, "llm", at) or 0)
    truth = month.spend.between(MARCH[0], at) - month.spend.between(*GAP)
    edges = month.spend.between(GAP[0] - NINE, GAP[0]) + month.spend.between(GAP[1] - NINE, GAP[1] + NINE)
    assert abs(measured - truth) <= edges + month.spend.between(at - NINE, at)
    hours = 2 + Decimal(5) / 60
    share = float(1 - hours * 3600 / Decimal((at - MARCH[0]).total_seconds()))
    assert month.value(names.BUDGET_COVERAGE, "llm", at) == pytest.approx(share, abs=0.0005)


def test_the_month_begins_with_nothing_spent(month: Month) -> None:
    for at in (MARCH[0], MARCH[0] + FIVE_MINUTES, MARCH[1], MARCH[1] + FIVE_MINUTES):
        spent = Decimal(month.value(names.BUDGET_SPENT, "llm", at) or 0)
        assert spent <= month.spend.between(at - 3 * FIVE_MINUTES, at)
    assert month.value(names.BUDGET_START, "llm", MARCH[1]) == unix(MARCH[1])
    assert month.value(names.BUDGET_END, "llm", MARCH[1] - FIVE_MINUTES) == unix(MARCH[1])


@pytest.mark.parametrize("at", [utc(2026, 3, 1), utc(2026, 3, 29, 0), utc(2026, 3, 29, 6), utc(2026, 3, 31, 21, 55)])
def test_the_pace_of_march_in_berlin_is_that_of_743_hours(month: Month, at: datetime) -> None:
    expected = pace_ratio(LLM.pace, LLM.window, at)
    assert month.value(names.BUDGET_PACE_RATIO, "llm", at) == pytest.approx(float(expected), abs=1e-9)
    rolling = LLM.amount * share_between(LLM.pace, MARCH, at - FIVE_MINUTES, at)
    assert month.value(names.BUDGET_EXPECTED, "llm", at) == pytest.approx(float(rolling), rel=1e-9)


def test_what_is_expected_of_the_whole_month_is_the_amount(month: Month) -> None:
    at = MARCH[1]
    query = f'sum_over_time({names.BUDGET_EXPECTED_LEDGER}{{budget="llm"}}[743h])'
    hidden = LLM.amount * (2 + Decimal(5) / 60) / 743
    assert month.memory.value(query, at) == pytest.approx(
        float(LLM.amount - hidden), abs=3
    )  # three entries at the edges


RATES = {"5m": 5, "30m": 30, "1h": 60, "2h": 120, "6h": 360, "1d": 1440, "3d": 4320}


def burn(month: Month, at: datetime, minutes: int) -> Decimal:
    spent = month.spend.between(at - minutes * MINUTE, at)
    return spent / (LLM.amount * share_between(LLM.pace, MARCH, at - minutes * MINUTE, at))


@pytest.mark.parametrize("after", [20, 60, 88])
@pytest.mark.parametrize("window", RATES)
def test_burn_rates_are_spend_by_pace(month: Month, window: str, after: int) -> None:
    at = BLOW + after * MINUTE
    measured = month.value(names.budget_burn_rate(window), "llm", at)
    assert measured == pytest.approx(float(burn(month, at, RATES[window])), rel=0.02)


@pytest.mark.parametrize("window", RATES)
def test_in_the_first_minutes_of_a_jump_burn_rates_are_a_little_low_and_never_high(month: Month, window: str) -> None:
    at = BLOW + MINUTE
    measured = month.value(names.budget_burn_rate(window), "llm", at)
    truth = float(burn(month, at, RATES[window]))
    assert measured is not None
    assert 0.8 * truth <= measured <= 1.005 * truth


def test_a_gap_moves_no_burn_rate(month: Month) -> None:
    at = GAP[1] + timedelta(minutes=30)
    for window, minutes in (("6h", 360), ("1d", 1440), ("3d", 4320)):
        start = at - minutes * MINUTE
        measured = share_between(LLM.pace, MARCH, start, at) - share_between(LLM.pace, MARCH, *GAP)
        spent = month.spend.between(start, at) - month.spend.between(*GAP)
        burn = float(spent / (LLM.amount * measured))
        assert month.value(names.budget_burn_rate(window), "llm", at) == pytest.approx(burn, rel=0.03)


def test_a_page_comes_in_the_minute_in_which_two_percent_are_gone(month: Month) -> None:
    def pages(at: datetime) -> bool:
        def spent(minutes: int) -> Decimal:
            return month.spend.between(at - minutes * MINUTE, at) / LLM.amount

        fast = burn(month, at, 5) > Decimal("14.4") and spent(60) > Decimal("0.02")
        return fast or (burn(month, at, 30) > 6 and spent(360) > Decimal("0.05"))

    truth = [at for minute in range(240) if pages(at := BLOW + minute * MINUTE)]
    ((began, ceased),) = month.evaluation.periods(names.ALERT_BUDGET_BURN, "llm", "page", "")
    assert abs(began - truth[0]) <= MINUTE
    assert abs(ceased - truth[-1]) <= 2 * MINUTE


def test_a_page_mutes_tickets_for_a_day(month: Month) -> None:
    paged = month.evaluation.first(names.ALERT_BUDGET_BURN, "llm", "page", "")
    tickets = month.evaluation.held.get((names.ALERT_BUDGET_BURN, "llm", "ticket", ""), [])
    assert paged is not None
    assert not [at for at in tickets if paged <= at < paged + timedelta(days=1)]


@pytest.mark.parametrize(("share", "above"), [("0.8", "0.9"), ("0.9", None)])
def test_thresholds_are_told_when_they_are_reached_and_mute_the_lower_ones(
    month: Month, share: str, above: str | None
) -> None:
    def reached(limit: Decimal) -> datetime:
        at = MARCH[0]
        while month.spend.between(MARCH[0], at) - month.spend.between(*GAP) < limit * LLM.amount:
            at += FIVE_MINUTES
        return at

    percent = f"{int(Decimal(share) * 100)} %"
    ((began, ceased),) = month.evaluation.periods(names.ALERT_BUDGET_SPENT, "llm", "ticket", percent)
    close = timedelta(minutes=30)  # three dollars, of which the edges of the gap hide some
    assert abs(began - reached(Decimal(share))) <= close
    end = reached(Decimal(above)) if above else MARCH[1]
    assert abs(ceased - end) <= close


def test_silence_is_told_for_as_long_as_it_lasts(month: Month) -> None:
    ((began, ceased),) = month.evaluation.periods(names.ALERT_COST_STALE, "llm", "ticket", "")
    assert began == GAP[0] + MINUTE  # and then `for` 10 minutes
    assert ceased == GAP[1]


def test_a_spike_is_told_against_the_same_hours_of_earlier_days_and_weeks(month: Month) -> None:
    def usual(at: datetime) -> Decimal:
        hours = [month.spend.between(at - ago - 60 * MINUTE, at - ago) for ago in map(timedelta, (1, 2, 3, 7, 14, 21))]
        return max(sorted(hours[:3])[1], sorted(hours[3:])[1])

    truth = [
        at
        for minute in range(150)
        if (hour := month.spend.between((at := SPIKE + minute * MINUTE) - 60 * MINUTE, at)) > 3 * usual(at) and hour > 4
    ]
    periods = month.evaluation.periods(names.ALERT_SPEND_SPIKE, "llm", "ticket", "")
    ((began, ceased),) = [period for period in periods if period[0] > SPIKE]
    assert abs(began - truth[0]) <= 2 * MINUTE
    assert abs(ceased - truth[-1]) <= 2 * MINUTE


@pytest.fixture(scope="module")
def replayed(month: Month) -> Replay:
    return replay(LLM, month.spend.entries(), *MARCH)


def test_a_replay_spends_what_was_spent(month: Month, replayed: Replay) -> None:
    assert replayed.spent == month.spend.between(*MARCH) - month.spend.between(*GAP)
    assert replayed.missing == timedelta(hours=2)


def test_a_replay_fires_what_the_rules_fire(month: Month, replayed: Replay) -> None:
    """What is evaluated throughout: at the same time, within the ledger's delay; the rest within what was looked at."""
    close = timedelta(minutes=20)
    for fired in replayed.fired:
        percent = f"{int(fired.threshold * 100)} %" if fired.threshold else ""
        periods = month.evaluation.periods(fired.alert, "llm", fired.severity, percent, step=timedelta(minutes=10))
        assert any(
            abs(began - fired.start) <= close and (fired.end is None or abs(ceased - fired.end) <= close)
            for began, ceased in periods
        ), (fired, periods)
    told = {(fired.alert, fired.severity) for fired in replayed.fired}
    assert told == {(alert, severity) for (alert, _, severity, _), held in month.evaluation.held.items() if held}
