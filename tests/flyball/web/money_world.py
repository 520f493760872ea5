"""Money to look at: budgets of every standing, unit costs, two ledgers, bills with faults; in a real Prometheus."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from starlette.applications import Starlette

from controlplane import conventions as names
from controlplane.adapters.remote_write import RemoteWriter, columnar
from controlplane.model.alert import Alert, AlertStatus
from controlplane.model.budget import Budget, Pace
from controlplane.model.event import JSON, Event
from controlplane.model.series import Series
from controlplane.model.slo import CalendarUnit, CalendarWindow, RollingWindow
from controlplane.model.source import SourcePosition
from controlplane.model.spend import SpendQuestion, SpendRow, SpendTable
from exporters.unit_cost.model import UnitCost, Units
from flyball.web.console import console_routes, exception_handlers
from flyball.web.state import ConsoleOptions, Ledgers
from tests.flyball.web.world import NASTY, NOW, STEP, State

MONTH = CalendarWindow(1, CalendarUnit.MONTH, "2024-01-01T00:00:00", "UTC")
START = datetime(2026, 9, 1, tzinfo=UTC)
END = datetime(2026, 10, 1, tzinfo=UTC)
OFFICE = Pace(tuple(map(Decimal, ("1.2", "1.2", "1.2", "1.2", "1.2", "0.5", "0.5"))), Decimal("1.5"), 2)
DEARER = ("neo4j", f"nasty {NASTY}")
SERVICES = {"graphql-gateway": 3, "neo4j": 5, "ingest": 2, "subscriptions": 1, f"nasty {NASTY}": Decimal("0.25")}


def a_budget(name: str, amount: int = 18_000, **changes: object) -> Budget:
    budget = Budget(name, Decimal(amount), "USD", MONTH, SourcePosition("money/budgets.yaml", 3, 1), owner="finops")
    return replace(budget, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Story:
    """How one budget fared: `spent` maps a moment to the share of the amount spent by then; None: never measured."""

    budget: Budget
    spent: Callable[[datetime], float] | None
    pace: float = 0.5
    hourly: float | None = 0.0014  # share of the amount that an hour costs; None: nothing new is measured
    outlook: tuple[float, float, float] | None = (0.92, 0.96, 1.01)
    coverage: float = 1.0
    firing: str = ""


def evenly(total: float) -> Callable[[datetime], float]:
    """`total` of the amount by now, in a straight line."""
    return lambda at: total * max((at - START) / (NOW - START), 0.0)


def jumping(before: float, after: float, days_ago: float) -> Callable[[datetime], float]:
    """Much at once some days ago."""
    jump = NOW - timedelta(days=days_ago)
    return lambda at: evenly(before)(at) + after * (1 + math.tanh((at - jump) / timedelta(hours=9))) / 2


def stories() -> list[Story]:
    infrastructure = a_budget(
        "infrastructure", display_name="Infrastructure", pace=OFFICE, runbook_url="https://runbooks.example/money",
        scope=(("service", ("graphql-gateway", "neo4j", "ingest", "subscriptions")),),
        description="Nodes, disks and traffic.",
    )  # fmt: skip
    rolling = RollingWindow(timedelta(days=7))
    nasty = a_budget(
        f"nasty {NASTY}", display_name=f"Nasty {NASTY}", owner=NASTY, description=NASTY, labels=(("team", NASTY),),
        scope=(("tenant", (NASTY,)),), runbook_url="javascript:alert(1)",
    )  # fmt: skip
    return [
        Story(infrastructure, jumping(0.42, 0.12, 5), 0.53, outlook=(1.01, 1.06, 1.13), firing="ticket"),
        Story(a_budget("llm", 5_000, scope=(("resource", ("token",)),)), jumping(0.5, 0.32, 1), 0.51, 0.011,
              (1.3, 1.5, 1.8), firing="page"),
        Story(a_budget("tenant-alpha", 900), evenly(1.08), 0.51, 0.002, (1.8, 2.0, 2.2)),
        Story(a_budget("tenant-beta", 900, currency="EUR"), evenly(0.44), 0.51),
        Story(a_budget("batch", 700, window=rolling), evenly(0.81), 1.0, 0.004, None),
        Story(a_budget("backups", 400), evenly(0.2), 0.51, coverage=0.41, outlook=None),
        Story(a_budget("stopped", 100), evenly(0.3), 0.51, None, None),
        Story(a_budget("unheard-of", 100), None),
        Story(nasty, evenly(0.1), 0.51),
    ]  # fmt: skip


def recorded(story: Story) -> Iterator[Series]:
    """What C's rules, and the forecast's exporter, would have written."""
    budget = story.budget
    own = {"budget": budget.name, "currency": budget.currency}
    amount = float(budget.amount)

    def series(record: str, points: Sequence[tuple[datetime, float]], **labels: str) -> Series:
        return Series({"__name__": record, **own, **labels}, tuple(points))

    latest = [NOW - timedelta(minutes=10), NOW - timedelta(minutes=5), NOW - timedelta(minutes=1)]
    yield series(names.BUDGET_AMOUNT, [(at, amount) for at in latest])
    if story.spent is None:
        yield series(names.BUDGET_SPENT, [(at, math.nan) for at in latest])
        return
    times = [START + STEP * n for n in range(int((NOW - START) / STEP) + 1)] + latest
    spent = story.spent
    yield series(names.BUDGET_SPENT, [(at, spent(at) * amount) for at in sorted(set(times))])
    pace = [(at, story.pace * ((at - START) / (NOW - START))) for at in sorted(set(times))]
    yield series(names.BUDGET_PACE_RATIO, pace)
    values = {names.BUDGET_SPENT_RATIO: spent(NOW), names.BUDGET_COVERAGE: story.coverage}
    values |= {names.BUDGET_FORECAST_ERROR: 0.043, names.BUDGET_FORECAST_COVERAGE: 0.8}
    values |= {names.BUDGET_EXPECTED: amount / 30 / 24 / 12, names.BUDGET_FORECAST_AT: NOW.timestamp() - 600}
    for record, value in values.items():
        yield series(record, [(at, value) for at in latest])
    if story.hourly is not None:
        day = [NOW - timedelta(minutes=5 * n) for n in range(288, -1, -1)]
        rate = story.hourly * 30 * 24
        for window, factor in {"5m": 1.2, "1h": 1.0, "6h": 0.9, "1d": 0.8, "3d": 0.7}.items():
            line = [(at, rate * factor * (1 + 0.2 * math.sin(n / 30))) for n, at in enumerate(day)]
            yield series(names.budget_burn_rate(window), line)
        yield series(names.BUDGET_ROLLING, [(at, story.hourly * amount / 12) for at in day])
    for bound, share in zip(("low", "middle", "high"), story.outlook or (), strict=False):
        yield series(names.BUDGET_FORECAST, [(at, share * amount) for at in latest], bound=bound)
    if not story.outlook:
        yield series(names.BUDGET_FORECAST_MISSING, [(at, 1.0) for at in latest], reason="too_short")
    if budget.name == "backups":
        yield Series(
            {"__name__": names.BUDGET_OTHER_CURRENCY, "budget": "backups", "currency": "GBP"},
            tuple((at, 1.0) for at in latest),
        )
    if story.firing:
        alert = {"alertname": names.ALERT_BUDGET_BURN, "alertstate": "firing", "severity": story.firing}
        burning = [NOW - timedelta(minutes=5 * n) for n in range(100, -1, -1)]
        yield series("ALERTS", [(at, 1.0) for at in burning], **alert)


def surroundings() -> Iterator[Series]:
    """Unit costs, prices, bills and versions."""
    week = [NOW - STEP * n for n in range(7 * 288, -1, -1)]
    latest = week[-4:]

    def series(record: str, value: float, **labels: str) -> Series:
        return Series({"__name__": record, **labels}, tuple((at, value) for at in latest))

    for connector, cost in (("jdbc", 0.131), ("s3", 0.082), (NASTY, 0.02)):
        course = tuple((at, cost * (1 + 0.15 * math.sin(n / 140))) for n, at in enumerate(week))
        yield Series({"__name__": names.UNIT_COST_RATIO, "unit_cost": "ingest", "currency": "USD",
                      "connector": connector}, course)  # fmt: skip
    yield series(names.UNIT_COST_TARGET, 0.1, unit_cost="ingest", currency="USD")
    yield series(names.UNIT_COST_RATIO, 1.43, unit_cost="graphql", currency="USD")
    yield series(names.UNIT_COST_TARGET, 2.0, unit_cost="graphql", currency="USD")
    yield series(names.USAGE_AT, NOW.timestamp() - 40, price="nodes")
    yield series(names.USAGE_AT, NOW.timestamp() - 1900, price="llm-tokens")
    yield series(
        "ALERTS", 1, alertname=names.ALERT_COST_STALE, alertstate="firing", severity="ticket", price="llm-tokens"
    )
    yield series(names.UNPRICED_USAGE, 51234, price="llm-tokens", resource="token", model="gpt-unheard-of")
    for service, ratio in (("neo4j", 1.08), ("graphql-gateway", 0.97)):
        yield series(names.CORRECTION_RATIO, ratio, service=service, currency="USD")
    yield series(names.BILLED_UNTIL, (NOW - timedelta(days=2)).timestamp(), source="aws")
    yield series(names.BILLED_ROWS, 41230, source="aws")
    yield series(names.BILLED_FAULTS, 17, source="aws", fault="charge_without_currency")
    yield series(names.BILLED_FAULTS, 0, source="aws", fault="negative_usage")
    old = [START + STEP * n for n in range(int((NOW - START) / STEP)) if START + STEP * n < NOW - timedelta(days=5)]
    build = {"__name__": names.BUILD_INFO, "service": "neo4j"}
    yield Series({**build, "version": "5.1"}, tuple((at, 1.0) for at in old))
    yield Series({**build, "version": "5.2"}, tuple((at, 1.0) for at in week if at >= NOW - timedelta(days=5)))


def write(url: str) -> None:
    """Everything in one request, the oldest first: Prometheus then takes series of any age."""
    series = [one for story in stories() for one in recorded(story)] + list(surroundings())
    series.sort(key=lambda one: one.points[0][0])
    with RemoteWriter(url) as writer:
        writer.write_columns([columnar(one) for one in series])


def unit_costs() -> list[UnitCost]:
    source = SourcePosition("money/unit-costs.yaml", 3, 1)
    events = Units("ingested events", counter='ingest_events_total{connector!=""}')
    calls = Units("GraphQL calls", counter='http_requests_total{service="graphql-gateway"}')
    return [
        UnitCost("ingest", "USD", events, Decimal(1000), source, (("service", ("ingest",)),), by=("connector",),
                 target=Decimal("0.10"), display_name="Ingested events"),
        UnitCost("graphql", "USD", calls, Decimal(1_000_000), source, target=Decimal(2)),
        UnitCost("rows", "USD", Units("rows", counter="connector_rows_total"), Decimal(1000), source),
    ]  # fmt: skip


@dataclass(frozen=True)
class DailyLedger:
    """Every service costs the same each day, some twice as much since five days, and something in another currency."""

    asked: list[SpendQuestion] = field(default_factory=list)

    def spend(self, question: SpendQuestion) -> SpendTable:
        self.asked.append(question)
        sums: dict[tuple[tuple[str | None, ...], str], Decimal] = {}
        day = question.start.replace(hour=0, minute=0, second=0, microsecond=0)
        while day < question.end:
            for service, weight in SERVICES.items():
                allowed = question.where.get("service")
                if allowed and service not in allowed:
                    continue
                cost = Decimal(weight) * 40 * (2 if service in DEARER and day > NOW - timedelta(days=5) else 1)
                cost *= Decimal("0.6") if day.weekday() > 4 else 1
                known = {"day": f"{day:%Y-%m-%dT%H:%M:%SZ}", "service": service}
                currency = "EUR" if service == "subscriptions" else "USD"
                key = tuple(known.get(name) for name in question.by)
                sums[key, currency] = sums.get((key, currency), Decimal(0)) + cost
            day += timedelta(days=1)
        rows = [SpendRow(key, currency, cost, cost) for (key, currency), cost in sums.items()]
        return SpendTable(question.by, tuple(sorted(rows, key=lambda row: (str(row.key), row.currency))), question.end)


@dataclass(frozen=True)
class Money:
    """A `MoneyState` of given parts."""

    given_budgets: Sequence[Budget] = ()
    given_unit_costs: Sequence[UnitCost] = ()
    given_ledgers: Ledgers = field(default_factory=Ledgers)

    def budgets(self) -> Sequence[Budget]:
        return self.given_budgets

    def unit_costs(self) -> Sequence[UnitCost]:
        return self.given_unit_costs

    def ledgers(self) -> Ledgers:
        return self.given_ledgers


def everything() -> Money:
    ledgers = Ledgers(billed=DailyLedger(), estimated=DailyLedger())
    return Money([story.budget for story in stories()], unit_costs(), ledgers)


def received() -> list[Alert]:
    page = {"alertname": names.ALERT_BUDGET_BURN, "severity": "page", "budget": "llm", "currency": "USD"}
    told = {"summary": "llm: money goes 8 times as fast as planned", "runbook_url": "https://runbooks.example/money"}
    unit = {"alertname": names.ALERT_UNIT_COST, "severity": "ticket", "unit_cost": "ingest", "currency": "USD"}
    return [
        Alert("m1", NOW - timedelta(minutes=41), AlertStatus.FIRING, page, told),
        Alert("m2", NOW - timedelta(hours=3), AlertStatus.FIRING, unit, {"summary": "1,000 events cost 0.131 USD"}),
        Alert("m3", NOW - timedelta(days=3), AlertStatus.RESOLVED, {**page, "severity": "ticket"}, told,
              NOW - timedelta(days=2, hours=19)),
    ]  # fmt: skip


def happened() -> list[Event]:
    day = timedelta(days=1)
    imported: dict[str, JSON] = {
        "period": "2026-09", "rows": 41230, "quarantined": 3, "money": [{"currency": "USD", "billed": "9120.11"}],
    }  # fmt: skip
    changed: list[JSON] = [
        {"service": "neo4j", "currency": "USD", "billedDifference": "45.78"},
        {"service": NASTY, "currency": "USD", "billedDifference": "-0.5"},
        {"service": None, "currency": "USD", "billedDifference": "nonsense"},
    ]
    restated: dict[str, JSON] = {"period": "2026-08", "services": 3, "changes": changed}
    facts: list[tuple[str, str, datetime, Mapping[str, JSON]]] = [
        (names.EVENT_COST_IMPORTED, "aws", NOW - 3 * day, imported),
        (names.EVENT_COST_RESTATED, "aws", NOW - 2 * day, restated),
        (names.EVENT_FLAG_CHANGED, NASTY, NOW - 7 * day, {"flag": NASTY}),
    ]
    return [Event(f"e{at}", kind, subject, when, data) for at, (kind, subject, when, data) in enumerate(facts)]


def application(state: State, money: Money, options: ConsoleOptions | None = None) -> Starlette:
    routes = console_routes(state, options or ConsoleOptions(), money)
    return Starlette(routes=routes, exception_handlers=dict(exception_handlers()))
