"""Dashboards for money: goldens, Grafana's own types, and every query on a real Prometheus."""

import itertools
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane import conventions as names
from controlplane import dashboard_uids
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.model.budget import Budget
from controlplane.model.series import Series
from controlplane.model.slo import CalendarUnit, CalendarWindow, RollingWindow
from dashboards.budget_dashboard import money_dashboards
from dashboards.frame import DashboardFile, DashboardOptions
from dashboards.queries import DashboardQuery, Place, queries_of
from flyball.demo import servers
from tests.dashboards.examples import HERE, NASTY

GOLDEN = Path(__file__).parent / "golden"
OPTIONS = DashboardOptions(external_url="https://flyball.example/")
MINUTE = timedelta(minutes=1)
HISTORY = timedelta(hours=3)
MONTHLY = CalendarWindow(1, CalendarUnit.MONTH, "2026-01-01T00:00:00", "UTC")
CHOICES = {"budget": "infrastructure", "currency": "USD", "unit_cost": "ingest"}


def a_budget(name: str = "infrastructure", **changes: object) -> Budget:
    budget = Budget(
        name=name, amount=Decimal(18_000), currency="USD", window=MONTHLY, source=HERE,
        scope=(("service", ("graphql-gateway", "neo4j")),), owner="finops",
        description="Nodes, disks and traffic.", runbook_url="https://runbooks.example/infrastructure",
    )  # fmt: skip
    return replace(budget, **changes)  # type: ignore[arg-type]


BUDGETS = (
    a_budget(),
    a_budget("llm", currency="EUR", scope=(), window=RollingWindow(timedelta(days=7)), display_name="Models"),
    a_budget(NASTY, description=NASTY, display_name=NASTY, scope=(("tenant", (NASTY, "a.b")),)),
)


def _files(budgets: Sequence[Budget] = BUDGETS, *, shared_above: int = 1000) -> tuple[DashboardFile, ...]:
    return money_dashboards(budgets, replace(OPTIONS, shared_above=shared_above))


def money_files() -> list[DashboardFile]:
    """Of budgets of every shape, each with a dashboard of its own, and sharing one."""
    return [*_files(), *_files(shared_above=1)]


@pytest.mark.parametrize("name", ["money.json", "budget-infrastructure.json", "unit-costs.json"])
def test_a_golden_dashboard_of_money(name: str) -> None:
    text = next(file.json_text for file in _files([a_budget()]) if file.name == name)
    if os.environ.get("FLYBALL_GOLDEN"):
        (GOLDEN / name).write_text(text)
    assert text == (GOLDEN / name).read_text()


@pytest.mark.parametrize("file", money_files(), ids=lambda file: file.name)
def test_panels_about_money_do_not_overlap_and_say_what_they_show(file: DashboardFile) -> None:
    panels = json.loads(file.json_text)["panels"]
    for a, b in itertools.combinations([panel["gridPos"] for panel in panels], 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        assert beside or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"], (a, b)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)
    assert all(panel["title"] and panel["description"].endswith(".") for panel in panels)
    assert len({panel["title"] for panel in panels}) == len(panels)
    assert all(panel["fieldConfig"]["defaults"]["unit"] for panel in panels)


def test_the_same_budgets_in_any_order_give_the_same_bytes_and_none_an_overview() -> None:
    assert _files() == _files(BUDGETS[::-1])
    assert [file.name for file in _files([])] == ["money.json", "unit-costs.json"]
    assert [file.name for file in _files(shared_above=2)] == ["money.json", "unit-costs.json", "budget-shared.json"]


def test_ten_thousand_budgets_take_no_more_files_than_a_few() -> None:
    files = _files([a_budget(f"b{number}") for number in range(10_000)])
    assert len(files) == 3
    assert sum(len(file.json_text) for file in files) < 200_000


def test_thresholds_of_burn_rates_are_those_of_the_window() -> None:
    text = {file.name: file.json_text for file in _files()}
    assert '"page above 14.4× (5m)"' in text["budget-infrastructure.json"]
    assert '"page above 3.36× (5m)"' in text["budget-llm.json"]


def test_amounts_carry_their_currency() -> None:
    text = {file.name: json.loads(file.json_text) for file in _files()}
    for name, unit in (("budget-infrastructure.json", "suffix: USD"), ("budget-llm.json", "suffix: EUR")):
        units = {panel["title"]: panel["fieldConfig"]["defaults"]["unit"] for panel in text[name]["panels"]}
        assert units["Spent"] == units["Spent, pace and forecast"] == unit


@given(st.text(max_size=80))
def test_uids_of_budgets_are_what_grafana_takes(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9_-]{1,40}", dashboard_uids.budget_uid(name))


def _series(metric: str, now: datetime, **labels: str) -> Series:
    points = int(HISTORY / MINUTE)
    return Series(
        {"__name__": metric, **labels}, tuple((now - (points - 1 - i) * MINUTE, 0.1 + i / 1000) for i in range(points))
    )


def _recorded(now: datetime) -> Iterator[Series]:
    """What the rules of budgets, prices and unit costs write, and our own gauges."""
    for budget in BUDGETS:
        own = {"budget": budget.name, "currency": budget.currency}
        windows = [names.budget_burn_rate(window) for window in ("5m", "30m", "1h", "2h", "6h", "1d")]
        for metric in (
            names.BUDGET_AMOUNT, names.BUDGET_SPENT, names.BUDGET_SPENT_RATIO, names.BUDGET_PACE_RATIO,
            names.BUDGET_ROLLING, names.BUDGET_EXPECTED, names.BUDGET_COVERAGE, names.BUDGET_INFO,
            names.BUDGET_FORECAST_ERROR, names.BUDGET_FORECAST_COVERAGE, *windows,
        ):  # fmt: skip
            yield _series(metric, now, **own)
        for bound in ("low", "middle", "high"):
            yield _series(names.BUDGET_FORECAST, now, **own, bound=bound)
    for currency in ("USD", "EUR"):
        for tenant in ("alpha", NASTY):
            paid = {"currency": currency, "service": "neo4j", "resource": "node", "tenant": tenant, "price": "nodes"}
            yield _series(names.SPEND_ROLLING, now, **paid)
            yield _series(names.ESTIMATE_ROLLING, now, **paid)
        yield _series(names.CORRECTION_RATIO, now, service="neo4j", currency=currency)
    yield _series(names.UNPRICED_USAGE, now, price="models", resource="token", model="gpt-x")
    yield _series(names.BILLED_UNTIL, now, source="aws")
    yield _series(names.USAGE_AT, now, price="nodes")
    yield _series(names.BILLED_FAULTS, now, source="aws", fault="no_currency")
    yield _series(names.UNIT_COST_RATIO, now, unit_cost="ingest", currency="USD", connector="jdbc")
    yield _series(names.UNIT_COST_TARGET, now, unit_cost="ingest", currency="USD")
    yield _series(names.BUILD_INFO, now, service="neo4j", version="1.0")


@pytest.fixture(scope="module")
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory, now: datetime) -> Iterator[PrometheusBackend]:
    with servers.prometheus(tmp_path_factory.mktemp("prometheus")) as server:
        with RemoteWriter(server.url) as writer:
            writer.write(list(_recorded(now)))
        yield PrometheusBackend(server.url)


def _silent(backend: PrometheusBackend, asked: Sequence[DashboardQuery], now: datetime) -> list[str]:
    """Those that answer nothing; a query that Prometheus refuses raises."""
    return [
        f"{each.title}: {each.expr}"
        for each in asked
        if not (
            backend.query(each.expr, now)
            if each.instant
            else backend.query_range(each.expr, now - timedelta(hours=2), now, MINUTE)
        )
    ]


@pytest.mark.parametrize("file", money_files(), ids=lambda file: file.name)
def test_every_query_about_money_returns_data(backend: PrometheusBackend, now: datetime, file: DashboardFile) -> None:
    silent = _silent(backend, queries_of(file.json_text, variables=CHOICES), now)
    by_service = NASTY in json.loads(file.json_text)["title"]  # its scope is of tenants, in USD
    assert silent == [] or (by_service and all("currency" not in each for each in silent))


def test_queries_about_money_parse_without_any_data(tmp_path: Path, now: datetime) -> None:
    with servers.prometheus(tmp_path) as server:
        empty = PrometheusBackend(server.url)
        for file in money_files():
            asked = queries_of(file.json_text, variables=CHOICES)
            silent = _silent(empty, asked, now)
            answered = {each.title for each in asked if not any(it.startswith(f"{each.title}: ") for it in silent)}
            if file.name.startswith("budget-"):
                assert not answered & {"Spent", "Gone in", "Forecast", "Amount"}
            assert all(each.title in answered for each in asked if each.place is Place.ANNOTATION)
