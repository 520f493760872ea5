"""Replays of budgets on generated spend, against sums taken one by one."""

from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from controlplane import conventions as names
from controlplane.model.budget import Budget, Pace, Spike
from finops.budgets.replaying import Fired, replay
from tests.finops.budgets.reading import MONTH, THIRTY_DAYS, a_budget
from tests.slo.evaluating import utc

FIVE = timedelta(minutes=5)
START = utc(2026, 3, 1)
MONEY = st.one_of(st.none(), st.decimals(0, 40, places=6))


def quiet(budget: Budget) -> Budget:
    return a_budget(budget.name, "100", window=budget.window, tiers=(), spike=None, forecast=(), actual=budget.actual)


def entries(money: list[Decimal | None], start: datetime = START) -> dict[datetime, Decimal]:
    return {start + (place + 1) * FIVE: each for place, each in enumerate(money) if each is not None}


@given(st.lists(MONEY, min_size=1, max_size=60), st.sampled_from([MONTH, THIRTY_DAYS]))
def test_sums_are_exact_and_thresholds_are_told_at_the_entry_that_reaches_them(
    money: list[Decimal | None], window: object
) -> None:
    budget = quiet(a_budget(window=window, actual=(Decimal("0.3"), Decimal("0.35"))))
    spend = entries(money)
    end = START + len(money) * FIVE
    found = replay(budget, spend, START, end)
    assert found.spent == sum(spend.values())
    assert found.missing == money.count(None) * FIVE
    limits = [Decimal(30), Decimal(35), Decimal(100)]
    course, total = [], Decimal(0)
    for place, each in enumerate(money):
        total += each or 0
        reached = [limit for limit in limits if total >= limit]
        course.append((START + (place + 1) * FIVE, max(reached) / 100 if reached else None))
    told = [(at, share) for (at, share), (_, before) in zip(course, [(START, None), *course], strict=False)
            if share is not None and share != before]  # fmt: skip
    spent = [fired for fired in found.fired if fired.alert == names.ALERT_BUDGET_SPENT]
    assert [(fired.start, fired.threshold) for fired in spent] == told


@given(st.lists(MONEY, min_size=1, max_size=60))
def test_silence_is_told_after_ten_minutes_and_ends_with_the_next_entry(money: list[Decimal | None]) -> None:
    found = replay(quiet(a_budget()), entries(money), START, START + len(money) * FIVE)
    expected, silent = [], 0
    for place, each in enumerate(money):
        silent = 0 if each is not None else silent + 1
        if silent == 3:
            expected.append(START + (place + 1) * FIVE)
    told = [fired.start for fired in found.fired if fired.alert == names.ALERT_COST_STALE]
    known = next((place for place, each in enumerate(money) if each is not None), len(money))
    assert told == [at for at in expected if at > START + known * FIVE] or known > 0


def test_the_window_begins_anew_and_the_long_windows_look_across() -> None:
    hour = [Decimal(1)] * 12
    budget = a_budget("small", "100", window=MONTH, spike=None, forecast=())
    start = utc(2026, 3, 31, 23)
    found = replay(budget, entries([*hour, *hour], start), start, start + timedelta(hours=2))
    assert found.spent == 12  # April's; March's last entry ends when April begins
    (page,) = (fired for fired in found.fired if fired.severity == "page")
    assert page == Fired(names.ALERT_BUDGET_BURN, "page", start + 3 * FIVE, None)


MONDAYS = Pace((Decimal(1), *(Decimal(0),) * 6))


def fired(pace: Pace, day: datetime, per_entry: str) -> set[tuple[str, str]]:
    budget = a_budget("b", "100", spike=None, forecast=(), actual=(), pace=pace)
    found = replay(budget, entries([Decimal(per_entry)] * 288, day), day, day + timedelta(days=1))
    return {(each.alert, each.severity) for each in found.fired}


def test_what_the_pace_expects_of_a_day_is_not_told() -> None:
    monday = utc(2026, 3, 2)  # of five in March: 20 USD each
    assert fired(MONDAYS, monday, "0.06") == set()
    assert fired(Pace(), monday, "0.06") == {(names.ALERT_BUDGET_BURN, "ticket")}


def test_money_on_a_day_that_weighs_nothing_is_told_when_it_is_much() -> None:
    tuesday = utc(2026, 3, 3)
    assert fired(MONDAYS, tuesday, "0.01") == set()
    assert fired(MONDAYS, tuesday, "0.2") == {(names.ALERT_BUDGET_BURN, "page")}


def test_a_spike_needs_proportion_and_money() -> None:
    calm, burst = [Decimal("0.01")] * 288, [Decimal("0.2")] * 12
    spend = entries([*calm, *calm, *burst])
    end = START + len(spend) * FIVE
    for floor, told in ((Decimal(1), 1), (Decimal(3), 0)):
        budget = a_budget("b", "100", tiers=(), forecast=(), spike=Spike(Decimal(3), floor))
        found = [fired for fired in replay(budget, spend, START, end).fired if fired.alert == names.ALERT_SPEND_SPIKE]
        assert len(found) == told


def test_nothing_is_known_of_an_empty_past() -> None:
    found = replay(a_budget(), {}, START, START + timedelta(hours=1))
    assert (found.spent, found.missing) == (0, timedelta(hours=1))
    assert {fired.alert for fired in found.fired} == {names.ALERT_COST_STALE}


def test_straight_pacing_needs_half_of_the_time_measured() -> None:
    budget = a_budget("b", "100", tiers=(), spike=None, actual=())
    end = utc(2026, 3, 5)
    for known, told in ((3 * 288, True), (288, False)):  # of four days
        found = replay(budget, entries([Decimal("0.05")] * known, end - known * FIVE), START, end)
        assert any(each.alert == names.ALERT_BUDGET_FORECAST for each in found.fired) is told
