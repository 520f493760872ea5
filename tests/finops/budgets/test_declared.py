"""Budgets as code: what a document means, and every mistake at its place."""

from datetime import timedelta
from decimal import Decimal

import pytest

from controlplane.burn_rate import tier_name
from controlplane.model.budget import STANDARD_SPIKE, Pace, Spike
from controlplane.model.slo import CalendarUnit, CalendarWindow, RollingWindow
from finops.budgets.advice import containing
from tests.finops.budgets.reading import a_budget, a_file, found, told


def test_the_least_that_a_budget_says() -> None:
    budgets, problems = found(a_file())
    (budget,) = budgets.values
    assert problems == ()
    assert (budget.name, budget.amount, budget.currency) == ("llm", Decimal(5000), "USD")
    assert budget.window == CalendarWindow(1, CalendarUnit.MONTH, "2024-01-01T00:00:00", "UTC")
    assert (budget.scope, budget.spike, budget.pace) == ((), STANDARD_SPIKE, Pace())
    assert budget.actual == budget.forecast == (Decimal("0.8"), Decimal("0.9"))
    assert [tier_name(tier) for tier in budget.tiers] == ["page-1h", "page-6h", "ticket-1d", "ticket-3d"]
    assert budget.stale_after == timedelta(minutes=10)


def test_all_that_a_budget_may_say() -> None:
    text = a_file(
        """
        description: Tokens.
        amount: 12345.67
        currency: EUR
        window: {every: quarter, timeZone: Europe/Berlin, start: 2026-02-15}
        scope: {tenant: [beta, alpha], service: assistant, team: ""}
        pace:
          weekdays: {sat: 0.5, sun: 0.2}
          monthEnd: {days: 3, factor: 2.5}
        alerts:
          actual: [1.2, 0.5]
          forecast: []
          spike: {factor: 4, floorPerHour: 12.5}
          staleAfter: 20m
          tiers:
            - {severity: page, budgetShare: 0.03, long: 2h, short: 10m, for: 5m}
            - {severity: ticket, budgetShare: 0.2, long: 7d, short: 1d, spentWithin: [3d, 7d], burnRate: 1.5}
        absent: zero
        """,
        """
        displayName: LLM
        labels: {cost-centre: "42"}
        annotations: {flyball.dev/owner: finops, flyball.dev/runbook-url: "https://r.example/llm"}
        """,
    )
    budgets, problems = found(text)
    (budget,) = budgets.values
    assert problems == ()
    assert budget.amount == Decimal("12345.67")
    assert budget.window == CalendarWindow(1, CalendarUnit.QUARTER, "2026-02-15T00:00:00", "Europe/Berlin")
    assert budget.scope == (("service", ("assistant",)), ("team", ("",)), ("tenant", ("beta", "alpha")))
    weekdays = (*(Decimal(1),) * 5, Decimal("0.5"), Decimal("0.2"))
    assert budget.pace == Pace(weekdays, Decimal("2.5"), 3, "Europe/Berlin")
    assert (budget.actual, budget.forecast) == ((Decimal("0.5"), Decimal("1.2")), ())
    assert budget.spike == Spike(Decimal(4), Decimal("12.5"))
    assert [tier_name(tier) for tier in budget.tiers] == ["page-2h", "ticket-7d"]
    assert budget.tiers[0].hold == timedelta(minutes=5)
    assert budget.tiers[1].spent_within == (timedelta(days=3), timedelta(days=7))
    assert budget.stale_after == timedelta(minutes=20)
    assert budget.absent_is_zero
    assert budget.labels == (("cost_centre", "42"),)
    assert (budget.owner, budget.runbook_url, budget.display_name) == ("finops", "https://r.example/llm", "LLM")


@pytest.mark.parametrize("word", ["week", "month", "quarter", "year"])
def test_a_window_may_be_one_word(word: str) -> None:
    (budget,) = found(a_file(f"window: {word}"))[0].values
    assert budget.window == CalendarWindow(1, CalendarUnit(word), "2024-01-01T00:00:00", "UTC")


def test_a_window_may_roll() -> None:
    assert found(a_file("window: 30d"))[0].values[0].window == RollingWindow(timedelta(days=30))
    assert found(a_file("window: {rolling: 4w}"))[0].values[0].window == RollingWindow(timedelta(days=28))


def test_an_amount_may_have_an_exponent() -> None:
    assert found(a_file("amount: 1.8e4"))[0].values[0].amount == Decimal(18_000)


NONSENSE = {
    "amount: 0": "error: spec.amount: must be more than 0, is 0",
    "amount: -5": "error: spec.amount: must be more than 0, is -5",
    "amount: .nan": "error: spec.amount: expected a number, got the text '.nan'",
    "amount: NaN": "error: spec.amount: expected a number, got the text 'NaN'",
    "amount: 1e99": "error: spec.amount: must be at most 1000000000000000, is 1e99",
    "amount: .inf": "error: spec.amount: expected a number, got the text '.inf'",
    "currency: usd": "error: spec.currency: `usd` is not a currency, did you mean `USD`?",
    "currency: US": "error: spec.currency: `US` is not a currency (three capitals, such as USD)",
    "currency: Dollars": "error: spec.currency: `Dollars` is not a currency (three capitals, such as USD)",
    "window: moth": "error: spec.window: `moth` is not a window, did you mean `month`?",
    "window: 3M": "error: spec.window: `3M` is not a duration (a whole number and m, h, d or w, as in 5m, 6h or"
    " 30d)",
    "window: 5m": "error: spec.window: must be between 1d and 366d",
    "window: {}": "error: spec.window: no window (write month, quarter, week or year, or such as 30d)",
    "window: {every: month, rolling: 30d}": "error: spec.window: a window that rolls does not begin with the"
    " calendar (write month, quarter, week or year, or such as 30d)",
    "window: {every: month, timeZone: Europe/Berln}": "error: spec.window.timeZone: unknown time zone"
    " `Europe/Berln`, did you mean `Europe/Berlin`?",
    "window: {every: month, start: 2026-02-30}": "error: spec.window.start: `2026-02-30` is not a date"
    " (write it as in 2026-04-15)",
    "window: {rolling: 30d, timeZone: UTC}": "error: spec.window.timeZone: a window that rolls has no such thing"
    " (remove it, or write every: month)",
    "alerts: {actual: [80]}": "error: spec.alerts.actual[0]: must be more than 0 and at most 10, is 80"
    " (a share of the amount: write 0.8 for 80 %)",
    "alerts: {actual: [0.8, 0.80]}": "error: spec.alerts.actual[1]: 0.80 is there twice (remove one)",
    "alerts: {actual: [0]}": "error: spec.alerts.actual[0]: must be more than 0 and at most 10, is 0",
    "alerts: {forecast: [-1]}": "error: spec.alerts.forecast[0]: must be more than 0 and at most 10, is -1",
    "alerts: {staleAfter: soon}": "error: spec.alerts.staleAfter: `soon` is not a duration (a whole number and"
    " m, h, d or w, as in 5m, 6h or 30d)",
    "alerts: {spike: {factor: 1}}": "error: spec.alerts.spike.factor: must be more than 1, is 1",
    "alerts: {spikes: no}": None,
    "pace: {weekdays: {mon: 0, tue: 0, wed: 0, thu: 0, fri: 0, sat: 0, sun: 0}}": "error: spec.pace.weekdays: all"
    " days weigh 0 (one must weigh more)",
    "pace: {weekdays: {mon: -1}}": "error: spec.pace.weekdays.mon: must be at least 0, is -1",
    "pace: {weekdays: {monday: 1}}": "error: spec.pace.weekdays.monday: unknown field `monday`, did you mean"
    " `mon`?",
    "pace: {monthEnd: {days: 31, factor: 2}}": "error: spec.pace.monthEnd.days: must be at most 28, is 31",
    "pace: {timeZone: Mars/Base}": "error: spec.pace.timeZone: unknown time zone `Mars/Base`",
    "scope: {currency: USD}": "error: spec.scope.currency: a scope cannot ask for it: the budget's currency"
    " selects it already",
    "scope: {a-b: c}": "error: spec.scope.a-b: `a-b` is not a label's name (letters, digits and `_`, as"
    " Prometheus has them)",
    "scope: {tenant: []}": "error: spec.scope.tenant: must not be empty",
    "scope: {tenent: a}": "warning: spec.scope.tenent: spend carries no label `tenent` unless a PriceMap keeps"
    " it, did you mean `tenant`?",
    "amout: 5": "error: spec.amout: unknown field `amout`, did you mean `amount`?",
}  # fmt: skip


@pytest.mark.parametrize("spec", NONSENSE)
def test_nonsense_is_refused_at_its_place(spec: str) -> None:
    problems = told(a_file(spec))
    expected = NONSENSE[spec]
    if expected is None:
        assert problems == []
    else:
        assert len(problems) == 1, problems
        assert problems[0].split(": ", 1)[1].startswith(expected)


def test_every_mistake_is_told_at_once() -> None:
    text = a_file(
        """
        currency: dollars
        window: {every: month, timeZone: Nowhere, start: yesterday}
        scope: {currency: USD, x-y: z}
        pace: {weekdays: {mon: 0, tue: 0, wed: 0, thu: 0, fri: 0, sat: 0, sun: 0}}
        alerts: {actual: [0.8, 0.8, 80], forecast: [0], staleAfter: x, tiers: [{severity: page, budgetShare: 0.1,
          long: 5m, short: 1h}, {severity: page, budgetShare: 0.1, long: soon, short: 1m}]}
        """,
        "labels: {budget: x}\nannotations: {flyball.dev/ownr: me, flyball.dev/runbook-url: wiki}",
        name="LLM",
    )
    fields = [line.split(": ")[2] for line in told(text)]
    assert sorted(fields) == sorted(
        [
            "metadata.name", "metadata.labels.budget", 'metadata.annotations["flyball.dev/ownr"]',
            'metadata.annotations["flyball.dev/runbook-url"]', "spec.currency", "spec.window.timeZone",
            "spec.window.start", "spec.scope.currency", "spec.scope.x-y", "spec.pace.weekdays", "spec.alerts.actual[1]",
            "spec.alerts.actual[2]", "spec.alerts.forecast[0]", "spec.alerts.staleAfter",
            "spec.alerts.tiers[0].short", "spec.alerts.tiers[1].long", "spec.alerts.tiers[1].short",
        ]
    )  # fmt: skip


def test_a_mistake_is_told_with_its_line_and_column() -> None:
    assert told(a_file("scope: {tenant: a}\nalerts: {actual: [0.8, 0.8]}")) == [
        "9:26: error: spec.alerts.actual[1]: 0.8 is there twice (remove one)"
    ]


def test_tiers_that_the_window_is_too_short_for_are_told() -> None:
    (problem,) = told(a_file("window: 2d"))
    assert "these can never fire and are left out: ticket over 3d" in problem


def test_two_budgets_of_the_same_spend_are_told() -> None:
    (problem,) = told(a_file("scope: {tenant: a}"), a_file("amount: 7\nscope: {tenant: a}", name="other"))
    assert "counts the same spend over the same window as budget `llm`" in problem


def test_a_budget_knows_the_budgets_around_it() -> None:
    every = a_budget("every")
    llm = a_budget("llm", scope=(("resource", ("token",)),))
    alpha = a_budget("alpha", scope=(("resource", ("token",)), ("tenant", ("alpha",))))
    nodes = a_budget("nodes", scope=(("resource", ("node", "token")),))
    euro = a_budget("euro", currency="EUR")
    budgets = [every, llm, alpha, nodes, euro]
    assert containing(alpha, budgets) == ("every", "llm", "nodes")
    assert containing(llm, budgets) == ("every", "nodes")
    assert containing(every, budgets) == ()
