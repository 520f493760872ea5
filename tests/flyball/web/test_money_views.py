"""Rows, bars, movers and charts about money, without any server."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane import conventions as names
from controlplane.model.budget import Budget, Pace
from controlplane.model.event import Event, RecordedEvent
from controlplane.model.rule import RecordingRule
from controlplane.model.slo import RollingWindow
from controlplane.model.spend import Ledger, SpendQuestion, SpendRow, SpendTable
from exporters.unit_cost.rules import rule_files as unit_cost_rules
from finops.budgets.rules import rule_files as budget_rules
from flyball.web import charts, money_charts
from flyball.web.money_daily import MOST_SERVICES, daily_of
from flyball.web.money_history import BudgetHistory, Fired, UnitCostHistory
from flyball.web.money_movers import SETTLING, SHOWN, WEEK, compared, fetch_movers
from flyball.web.money_pace import pace_course, share_at
from flyball.web.money_rows import BudgetRow, Standing, budget_rows, period, unit_cost_rows
from flyball.web.money_status import BudgetMeasured, Outlook, UnitCostMeasured, steps
from tests.flyball.web.money_world import END, OFFICE, START, a_budget, unit_costs
from tests.flyball.web.world import NOW

DAY = timedelta(days=1)
AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=6)
SHARES = st.floats(min_value=-3, max_value=4)


def a_row(budget: Budget | None = None, **measured: object) -> BudgetRow:
    budget = budget or a_budget("b", 1000)
    known = {"spent": Decimal(400), "spent_ratio": 0.4, "pace_ratio": 0.5, "coverage": 1.0, "hourly": Decimal(1)}
    return BudgetRow(budget, BudgetMeasured(**{**known, **measured}), period(budget, NOW), NOW)  # type: ignore[arg-type]


def outlook(*bounds: int) -> Outlook:
    return Outlook(*map(Decimal, bounds))


@pytest.mark.parametrize(
    ("measured", "standing"),
    [
        ({}, Standing.OK),
        ({"spent": Decimal(1000)}, Standing.SPENT),
        ({"spent": Decimal(800)}, Standing.LOW),
        ({"spent": Decimal(800), "pace_ratio": 0.85}, Standing.OK),  # little left, as planned at a month's end
        ({"outlook": outlook(900, 1001, 1100)}, Standing.OVER),
        ({"outlook": outlook(900, 999, 1100)}, Standing.OK),
        ({"firing": ("ticket",)}, Standing.BURNING),
        ({"hourly": None}, Standing.STALE),
        ({"coverage": 0.9}, Standing.PARTIAL),
        ({"spent": None, "firing": ("page",)}, Standing.NO_DATA),
    ],
)
def test_a_budget_stands_as_the_worst_that_is_true_of_it(measured: dict[str, object], standing: Standing) -> None:
    assert a_row(**measured).standing is standing


def test_what_was_not_measured_is_hatched_as_far_as_the_pace_expected_spending() -> None:
    bar = a_row(coverage=0.5, pace_ratio=0.3).bar
    assert bar
    assert bar.unproven == pytest.approx(0.15)
    assert bar.left == pytest.approx(0.6)
    assert bar.pace == pytest.approx(0.7)
    assert a_row(spent=None).bar is None


@given(spent=AMOUNTS, pace=st.none() | SHARES, coverage=st.none() | SHARES, ahead=st.tuples(AMOUNTS, AMOUNTS, AMOUNTS))
def test_every_bar_lies_within_its_track(
    spent: Decimal, pace: float | None, coverage: float | None, ahead: tuple[Decimal, Decimal, Decimal]
) -> None:
    row = a_row(spent=spent, pace_ratio=pace, coverage=coverage, outlook=Outlook(*sorted(ahead)))
    assert row.bar
    assert 0 <= row.bar.proven <= 1
    assert 0 <= row.bar.unproven <= 1
    assert row.bar.left <= 1 + 1e-9
    assert row.bar.pace is None or 0 <= row.bar.pace <= 1
    assert row.sentence.endswith(".")
    assert row.left == row.amount - spent


def test_when_it_is_gone_is_told_only_if_that_comes_before_the_window_ends() -> None:
    soon = a_row(hourly=Decimal(10))
    assert soon.gone_in == timedelta(hours=60)
    assert soon.gone_before_end
    assert "gone in 2 d 12 h" in soon.sentence
    late = a_row(hourly=Decimal("0.1"))
    assert late.gone_in == timedelta(hours=6000)
    assert not late.gone_before_end
    assert "gone in" not in late.sentence
    assert a_row(hourly=Decimal(0)).gone_in is None
    assert a_row(spent=Decimal(2000)).gone_in == timedelta(0)


def test_rows_are_worst_first_and_equal_ones_by_name() -> None:
    budgets = [a_budget(name, 100) for name in "dcba"]
    measured = {
        "d": BudgetMeasured(spent=Decimal(10), hourly=Decimal(0)),
        "c": BudgetMeasured(spent=Decimal(10), hourly=Decimal(0), firing=("ticket",)),
        "b": BudgetMeasured(spent=Decimal(10), hourly=Decimal(0)),
        "a": BudgetMeasured(firing=("page",)),
    }
    assert [row.budget.name for row in budget_rows(budgets, measured, NOW)] == ["a", "c", "b", "d"]


def test_just_after_a_month_began_the_figures_of_the_last_one_are_not_shown() -> None:
    budget, now = a_budget("b", 100), START + timedelta(minutes=3)
    spent = BudgetMeasured(spent=Decimal(99), spent_ratio=0.99, hourly=Decimal(1), begun=START - timedelta(days=31))
    row = budget_rows([budget], {"b": spent}, now)[0]
    assert row.standing is Standing.NO_DATA
    assert row.sentence == "The month has just begun: its first figures come within 15 minutes."
    row = budget_rows([budget], {"b": replace(spent, begun=START)}, now)[0]
    assert row.standing is Standing.LOW
    rolling = replace(budget, window=RollingWindow(timedelta(days=30)))
    assert (
        budget_rows([rolling], {"b": replace(spent, spent=Decimal(80), pace_ratio=1.0)}, now)[0].standing
        is Standing.LOW
    )
    assert budget_rows([rolling], {"b": spent}, now)[0].left == Decimal(1)


# --- pace -------------------------------------------------------------------------------------------------------------
def test_the_pacing_curve_begins_at_0_ends_at_1_and_rises_as_days_weigh() -> None:
    curve = pace_course(OFFICE, START, END)
    assert curve[0] == (START, 0.0)
    assert curve[-1] == (END, pytest.approx(1.0))
    saturday, friday = (share_at(curve, START + (n + 1) * DAY) - share_at(curve, START + n * DAY) for n in (4, 3))
    assert saturday / friday == pytest.approx(0.5 / 1.2)
    last, first = (share_at(curve, START + (n + 1) * DAY) - share_at(curve, START + n * DAY) for n in (29, 1))
    assert last / first == pytest.approx(1.5)


@settings(max_examples=40)
@given(
    weights=st.lists(st.decimals(0, 1000, places=2), min_size=7, max_size=7),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia"]),
    days=st.integers(1, 400),
)
def test_a_pacing_curve_never_falls(weights: list[Decimal], zone: str, days: int) -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    curve = pace_course(Pace(tuple(weights), time_zone=zone), start, start + days * DAY)
    shares = [share for _, share in curve]
    assert shares == sorted(shares)
    if curve:
        assert shares[-1] == pytest.approx(1.0)
        assert share_at(curve, start - DAY) == 0
        assert share_at(curve, start + 500 * DAY) == shares[-1]


# --- movers -----------------------------------------------------------------------------------------------------------
def table(**sums: int) -> SpendTable:
    rows = [SpendRow((name or None,), "USD", Decimal(value), Decimal(value)) for name, value in sums.items()]
    return SpendTable(("service",), tuple(rows))


def test_movers_are_sorted_by_what_changed_whichever_way() -> None:
    movers = compared(table(a=100, b=50, gone=30, same=7), table(a=90, b=90, new=15, same=7))
    assert [(it.key, it.change) for it in movers] == [("b", 40), ("gone", -30), ("new", 15), ("a", -10)]
    assert [it.ratio for it in movers] == [0.8, -1.0, None, -0.1]
    assert movers[1].after is None


@given(
    before=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["USD", "EUR"]), AMOUNTS), max_size=6),
    after=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["USD", "EUR"]), AMOUNTS), max_size=6),
)
def test_changes_add_up_to_the_change_of_the_whole_in_each_currency(
    before: list[tuple[str, str, Decimal]], after: list[tuple[str, str, Decimal]]
) -> None:
    tables = []
    for listed in (before, after):
        sums = {(key, currency): amount for key, currency, amount in listed}
        tables.append(SpendTable(("x",), tuple(SpendRow((k,), c, v, v) for (k, c), v in sums.items())))
    for currency in ("USD", "EUR"):
        whole = [sum((row.effective for row in it.rows if row.currency == currency), Decimal(0)) for it in tables]
        changes = [mover.change for mover in compared(*tables) if mover.currency == currency]
        assert sum(changes, Decimal(0)) == whole[1] - whole[0]


def test_the_weeks_of_a_bill_end_before_the_days_that_are_still_being_filled_in() -> None:
    asked: list[SpendQuestion] = []

    class Billed:
        def spend(self, question: SpendQuestion) -> SpendTable:
            asked.append(question)
            rows = tuple(SpendRow((f"s{n}",), "USD", Decimal(n), Decimal(n)) for n in range(len(asked) * 20))
            return SpendTable(question.by, rows, NOW - 3 * DAY)

    movers = fetch_movers(Billed(), Ledger.BILLED, "service", NOW)
    end = datetime(2026, 9, 13, tzinfo=UTC) - SETTLING
    assert (movers.start, movers.end) == (end - WEEK, end)
    assert [(each.start, each.end) for each in asked[1:]] == [(end - WEEK, end), (end - 2 * WEEK, end - WEEK)]
    assert len(movers.shown) == SHOWN
    assert movers.left_out == 20 - SHOWN


# --- days -------------------------------------------------------------------------------------------------------------
def test_days_add_up_by_service_and_the_rest_stands_together() -> None:
    rows = [
        SpendRow((f"{START + day * DAY:%Y-%m-%dT%H:%M:%SZ}", f"s{n:02}" if n else None), "USD", Decimal(n), Decimal(n))
        for day in range(3)
        for n in range(20)
    ]
    other = SpendRow((f"{START:%Y-%m-%dT%H:%M:%SZ}", "s01"), "EUR", Decimal(7), Decimal(7))
    spent = SpendTable(("day", "service"), (*rows, other))
    found = daily_of(spent, currency="USD", start=START, end=END, now=START + timedelta(days=2, hours=5))
    assert [value for _, value in found.days] == [Decimal(190)] * 3
    assert found.latest == START + DAY  # the last whole one
    assert len(found.services) == MOST_SERVICES + 1
    assert found.services[0].service == "s19"
    assert found.services[-1].service == "8 more"
    assert sum(each.total for each in found.services) == Decimal(570)
    assert found.others == (("EUR", Decimal(7)),)


# --- charts -----------------------------------------------------------------------------------------------------------
def a_history(**changes: object) -> BudgetHistory:
    points = tuple((START + n * DAY, 40.0 * n) for n in range(16))
    history = BudgetHistory(START, NOW, DAY, points, tuple((at, value / 800) for at, value in points))
    return replace(history, **changes)  # type: ignore[arg-type]


def test_the_pace_chart_begins_at_zero_and_has_room_for_amount_and_forecast() -> None:
    row = a_row(outlook=outlook(1100, 1200, 1500))
    chart = money_charts.pace_chart(row, a_history(), ())
    assert chart.y_ticks[0].label == "0"
    assert chart.y_ticks[0].at == charts.TOP + charts.HEIGHT
    assert chart.y_ticks[-1].label.endswith("1,500 USD")
    assert [stroke.kind for stroke in chart.areas] == ["band", "forecast"]
    assert {stroke.kind for stroke in chart.lines} == {"amount", "pace", "money"}
    assert {label.text for label in chart.labels} == {"amount 1,000 USD", "spent 600", "pace", "forecast 1,200"}
    assert chart.now_x == pytest.approx(51.75, abs=0.05)
    assert chart.description == "600 USD spent by 2026-09-16 00:00 UTC. No alert fired."


def test_without_data_nothing_is_drawn_and_the_chart_says_so() -> None:
    chart = money_charts.pace_chart(a_row(spent=None, hourly=None), a_history(spent=(), pace=()), ())
    assert chart.is_empty
    assert chart.description == "No data for what was spent in this window."


def test_deployments_imports_and_alerts_stand_in_the_chart_as_labelled_verticals() -> None:
    event = Event("e", "cost.imported", "aws", START + 20 * DAY, {})
    odd = Event("o", "something.else", "x", START + 5 * DAY, {})
    history = a_history(
        fired=(Fired("BudgetBurn", "page", START + 2 * DAY, START + 3 * DAY),),
        versions=(("neo4j", "5.2", START + 11 * DAY),),
    )
    recorded = [RecordedEvent(n, NOW, each) for n, each in enumerate((event, odd))]
    marks = money_charts.pace_chart(a_row(), history, recorded).marks
    assert [(mark.kind, mark.label) for mark in marks] == [
        ("page", "page"), ("deployment", "5.2"), ("deployment", "import"),
    ]  # fmt: skip
    assert marks[0].width == pytest.approx(100 / 30, abs=0.02)
    assert marks[2].told == "import of aws: 2026-09-21 00:00 UTC"


@settings(max_examples=40)
@given(
    spent=st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=40),
    ahead=st.tuples(*[st.decimals(-(10**8), 10**10, places=2)] * 3),
    amount=st.integers(1, 10**9),
)
def test_everything_in_a_pace_chart_lies_in_its_box(
    spent: list[float], ahead: tuple[Decimal, Decimal, Decimal], amount: int
) -> None:
    points = tuple((START + n * timedelta(hours=9), value) for n, value in enumerate(spent))
    measured = {"spent": Decimal(repr(spent[-1])), "outlook": Outlook(*sorted(ahead))}
    chart = money_charts.pace_chart(a_row(a_budget("b", amount), **measured), a_history(spent=points), ())
    for stroke in (*chart.areas, *chart.lines):
        numbers = [float(it) for it in stroke.path.replace("M", " ").replace("L", " ").replace("Z", " ").split()]
        assert all(-0.1 <= x <= 1002 for x in numbers[::2])
        assert all(y <= 1000.1 or min(*spent, *map(float, ahead), 0) < 0 for y in numbers[1::2])
        assert all(y >= -0.1 for y in numbers[1::2])
    assert len(chart.rows) <= 60


def test_credits_draw_no_bar_but_are_told() -> None:
    days = ((START, Decimal(-5)), (START + DAY, Decimal(10)))
    chart = money_charts.daily_chart(days, a_row())
    bars = [bar for bar in chart.bars if bar.kind == "day"]
    assert bars[0].height == 0
    assert bars[0].told == "2026-09-01: −5 USD"
    assert chart.description.startswith("5 USD in 2 days, 2.5 USD a day on average.")
    assert len([bar for bar in chart.bars if bar.kind == "expected"]) == 30


def test_a_unit_cost_is_drawn_against_its_target_from_zero() -> None:
    part = (("connector", "jdbc"),)
    history = UnitCostHistory(START, NOW, DAY, ((part, tuple((START + n * DAY, 0.1 + n / 100) for n in range(15))),))
    chart = money_charts.unit_cost_chart(
        history, currency="USD", target=Decimal("0.5"), span="7 days", per="1,000 rows"
    )
    assert chart.title == "Cost of 1,000 rows, 7 days"
    assert [label.text for label in chart.labels] == ["target 0.5 USD", "connector jdbc"]
    assert chart.y_ticks[0].label == "0"
    nothing = money_charts.unit_cost_chart(
        replace(history, parts=()), currency="USD", target=Decimal("0.5"), span="7 days", per=""
    )
    assert nothing.is_empty


def test_unit_costs_that_only_prometheus_or_only_a_file_knows_are_shown_as_such() -> None:
    measured = (UnitCostMeasured("old", "EUR", (), Decimal("0.2"), None),)
    rows = unit_cost_rows(unit_costs()[:1], measured)
    assert [(row.name, row.currency, row.word) for row in rows] == [
        ("old", "EUR", "no target"), ("ingest", "USD", "no data"),
    ]  # fmt: skip


@given(st.integers(1, 400 * 24 * 60))
def test_a_chart_never_asks_for_more_steps_than_it_can_draw(minutes: int) -> None:
    length = timedelta(minutes=minutes)
    step = steps(length, 360)
    assert length / step <= 360
    assert step % timedelta(minutes=5) == timedelta(0)


def test_what_the_pages_read_is_what_the_rules_record() -> None:
    files = (*budget_rules([a_budget("b", pace=OFFICE)]), *unit_cost_rules(unit_costs()))
    recorded = {
        rule.record: {label for label, _ in rule.labels}
        for file in files
        for group in file.groups
        for rule in group.rules
        if isinstance(rule, RecordingRule)
    }
    burn = [names.budget_burn_rate(window) for window in ("5m", "30m", "1h", "2h", "6h", "1d", "3d")]
    read = [
        names.BUDGET_AMOUNT, names.BUDGET_SPENT, names.BUDGET_SPENT_RATIO, names.BUDGET_PACE_RATIO, names.BUDGET_START,
        names.BUDGET_COVERAGE, names.BUDGET_EXPECTED, names.BUDGET_ROLLING, names.BUDGET_INFO, *burn,
    ]  # fmt: skip
    assert all({names.BUDGET, names.CURRENCY} <= recorded[name] for name in read)
    assert names.BUDGET in recorded[names.BUDGET_OTHER_CURRENCY]
    for name in (names.UNIT_COST_RATIO, names.UNIT_COST_TARGET):
        assert {names.UNIT_COST, names.CURRENCY} <= recorded[name]
