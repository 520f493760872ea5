"""A control plane to look at: a real Prometheus with a month of recorded series, a real database, a running console."""

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from controlplane import conventions as names
from controlplane.adapters.remote_write import RemoteWriter, columnar
from controlplane.model.alert import Alert, AlertStatus
from controlplane.model.series import Series
from controlplane.model.slo import SLO, LatencyIndicator, Query, RatioIndicator, RollingWindow
from controlplane.model.source import SourcePosition
from controlplane.ports import MetricsBackend, Store
from controlplane.problems import Problem, Severity
from controlplane.store import migrate, open_store
from flyball.demo import servers
from flyball.web.console import console_routes, exception_handlers
from flyball.web.state import ConsoleOptions

NOW = datetime(2026, 9, 16, 12, 34, tzinfo=UTC)
MONTH = timedelta(days=30)
NASTY = "<script>alert(1)</script>\"'&"
STEP = timedelta(minutes=5)  # of the ledger


@dataclass(frozen=True)
class FixedClock:
    """Always the same time, so that pages are the same in every run."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@dataclass(frozen=True)
class State:
    """A `ConsoleState` of given parts."""

    metrics: MetricsBackend
    store: Store
    given_slos: Sequence[SLO]
    given_problems: Sequence[Problem] = ()
    clock: FixedClock = field(default_factory=FixedClock)

    def slos(self) -> Sequence[SLO]:
        return self.given_slos

    def problems(self) -> Sequence[Problem]:
        return self.given_problems


@dataclass(frozen=True)
class Story:
    """How one SLO fared. `spent` maps the day of the month (0 … 30) to the share of the budget spent by then."""

    slo: SLO
    spent: Callable[[float], float] | None
    coverage: float = 1.0
    measured_now: bool = True
    hourly: float = 0.0005  # share of the budget that the last hour spent
    budget_events: float = 12_000.0


def an_slo(name: str, service: str, objective: str = "0.999", **changes: object) -> SLO:
    source = SourcePosition(f"slos/{service}.yaml", 3, 1)
    total = Query(f'http_requests_total{{service="{service}"}}', SourcePosition(source.path, 24, 18))
    bad = Query(f'http_requests_total{{service="{service}",code=~"5.."}}', SourcePosition(source.path, 20, 18))
    slo = SLO(
        name=name,
        service=service,
        objective=Decimal(objective),
        window=RollingWindow(MONTH),
        indicator=RatioIndicator(total=total, bad=bad, good=None),
        source=source,
        owner=f"team-{service}",
    )
    return replace(slo, **changes)  # type: ignore[arg-type]


def steadily(total: float) -> Callable[[float], float]:
    return lambda day: total * day / 30


def incident(day: float, cost: float, otherwise: float = 0.1) -> Callable[[float], float]:
    """A little all along, and much at once."""
    return lambda at: otherwise * at / 30 + cost * (1 + math.tanh((at - day) * 20)) / 2


def stories() -> list[Story]:
    """One of each standing, and enough of the rest for a table."""
    gateway = "graphql-gateway"
    slow = LatencyIndicator(
        within=Query('graphql_latency_bucket{operation="read",le="0.35"}', SourcePosition("slos/graphql.yaml", 52, 18)),
        total=Query('graphql_latency_count{operation="read"}', SourcePosition("slos/graphql.yaml", 56, 18)),
        threshold=Decimal("0.35"),
    )
    runbook = "https://runbooks.example/graphql-gateway"
    return [
        Story(an_slo("gateway-availability", gateway, runbook_url=runbook, display_name="Gateway availability",
                     description="Requests that the gateway answers without a server error."),
              incident(29.93, 0.62, 0.19), hourly=0.18, budget_events=43_200),
        Story(an_slo("gateway-read-latency", gateway, "0.95", indicator=slow), incident(11, 0.18, 0.35)),
        Story(an_slo("gateway-write-latency", gateway, "0.95"), steadily(0.41)),
        Story(an_slo("exports-signed", "exports"), incident(19, 0.93, 0.24), hourly=0.0012),
        Story(an_slo("neo4j-1hop", "neo4j", "0.95"), incident(24.5, 0.61, 0.2), hourly=0.0021),
        Story(an_slo("opa-decisions", "opa", "0.95"), steadily(0.1), hourly=0),
        Story(an_slo("ingest-latency", "ingest", "0.95"), incident(6, 0.3, 0.25)),
        Story(an_slo("stepup-success", "auth", "0.99"), lambda day: max(steadily(0.5)(day) - 0.35, 0.0), coverage=0.31),
        Story(an_slo("erasure-in-24h", "rtbf"), steadily(0.12), measured_now=False),
        Story(an_slo("hello-case", "workflows", "0.99"), None),
        Story(an_slo("delivery-latency", "subscriptions", "0.95"), steadily(0.3)),
        Story(an_slo("drop-rate", "subscriptions"), incident(15, 0.22, 0.11)),
        Story(an_slo(f"nasty {NASTY}", f"service {NASTY}", display_name=f"Nasty {NASTY}", owner=NASTY,
                     runbook_url="javascript:alert(1)", labels=(("team", NASTY),), description=NASTY), steadily(0.2)),
    ]  # fmt: skip


def recorded(story: Story) -> Iterator[Series]:
    """The series that Flyball's rules would have recorded."""
    if story.spent is None:
        return
    name = {names.SLO: story.slo.name}
    start = NOW - MONTH * story.coverage
    times = [start + STEP * number for number in range(int((NOW - start) / STEP) + 1)]

    def day(at: datetime) -> float:
        return (at - (NOW - MONTH)) / timedelta(days=1)

    def series(record: str, points: Sequence[tuple[datetime, float]], **labels: str) -> Series:
        return Series({"__name__": record, **name, **labels}, tuple(points))

    spent = story.spent
    bad = [(at, max(spent(day(at)) - spent(day(at - STEP)), 0) * story.budget_events) for at in times]
    budget_ratio = float(story.slo.budget_ratio)
    per_step = story.budget_events / budget_ratio / (MONTH / STEP)
    yield series(names.LEDGER_EVENTS, bad, event=names.EVENT_BAD)
    yield series(names.LEDGER_EVENTS, [(at, per_step) for at in times], event=names.EVENT_ALL)
    latest = [NOW - timedelta(minutes=10), NOW - timedelta(minutes=5), NOW - timedelta(minutes=1)]
    hourly = story.hourly * story.budget_events
    values = {
        names.BUDGET_REMAINING: 1 - spent(30),
        names.WINDOW_COVERAGE: story.coverage,
        names.bad_events("1d"): hourly * 2.5,
        names.bad_events("3d"): hourly * 6,
    }
    if story.measured_now:
        rate = story.hourly * (MONTH / timedelta(hours=1))
        yield series(names.ROLLING_EVENTS, [(at, per_step / 3) for at in latest], event=names.EVENT_ALL)
        factors = {"5m": 1.1, "30m": 1.05, "1h": 1.0, "2h": 0.6, "6h": 0.3}
        values |= {names.burn_rate(window): rate * factor for window, factor in factors.items()}
        shares = {"5m": 1 / 11, "1h": 1.0, "6h": 1.8}
        values |= {names.bad_events(window): hourly * share for window, share in shares.items()}
        values |= {names.BUDGET_EVENTS: story.budget_events}
    for record, value in values.items():
        yield series(record, [(at, value) for at in latest])


def alerting() -> list[Series]:
    """Prometheus' own record of what fired, and a deployment."""
    burning = [NOW - timedelta(minutes=m) for m in range(40, -1, -1)]
    in_august = [NOW - timedelta(days=11) + timedelta(minutes=m) for m in range(0, 300, 5)]
    page = {"__name__": "ALERTS", "alertname": names.ALERT_BURN, "alertstate": "firing", "severity": "page"}
    build = {"__name__": names.BUILD_INFO, "service": "graphql-gateway"}
    old = [NOW - MONTH + STEP * n for n in range(int((MONTH - timedelta(days=9)) / STEP))]
    new = [NOW - timedelta(days=9) + STEP * n for n in range(int(timedelta(days=9) / STEP) + 1)]
    return [
        Series({**page, "slo": "gateway-availability"}, tuple((at, 1.0) for at in burning)),
        Series({**page, "slo": "exports-signed", "severity": "ticket"}, tuple((at, 1.0) for at in in_august)),
        Series({**build, "version": "2.40.1"}, tuple((at, 1.0) for at in old)),
        Series({**build, "version": "2.41.0"}, tuple((at, 1.0) for at in new)),
    ]


def write_month(url: str) -> None:
    """Everything in one request: Prometheus then takes series of any age in any order."""
    series = [one for story in stories() for one in recorded(story)] + alerting()
    with RemoteWriter(url) as writer:
        writer.write_columns([columnar(one) for one in series])


def received() -> list[Alert]:
    """Alerts as Alertmanager told them: one page that fires, one ticket that was resolved, one that is nasty."""
    page = {"alertname": names.ALERT_BURN, "severity": "page", "slo": "gateway-availability"}
    told = {
        "summary": "gateway-availability: the error budget burns 129.6 times too fast",
        "description": "Spent in the last hour: 18 % of the 30-day budget. Left: 19 %.",
        "worst": "route=/pay code=500 412; route=/cart code=503 31; ",
        "runbook_url": "https://runbooks.example/graphql-gateway",
    }
    ticket = {"alertname": names.ALERT_BURN, "severity": "ticket", "slo": "exports-signed"}
    resolved = {"summary": "exports-signed: the error budget burns 3.4 times too fast"}
    nasty = {"alertname": NASTY, "severity": NASTY, "slo": f"nasty {NASTY}"}
    bad_links = {"summary": NASTY, "worst": NASTY, "runbook_url": "javascript:alert(1)"}
    return [
        Alert("f1", NOW - timedelta(minutes=41), AlertStatus.FIRING, page, told),
        Alert(
            "f2", NOW - timedelta(days=11), AlertStatus.RESOLVED, ticket, resolved, NOW - timedelta(days=10, hours=19)
        ),
        Alert("f3", NOW - timedelta(hours=5), AlertStatus.FIRING, nasty, bad_links),
    ]


def problems() -> list[Problem]:
    return [
        Problem("slos/auth.yaml", 4, 3, "metadata.nmae", f"unknown field; did you mean name? {NASTY}", length=4,
                hint="Write name."),
        Problem("slos/gone.yaml", 1, 1, "", "the file ends in the middle of a value", Severity.WARNING),
    ]  # fmt: skip


def sources() -> Mapping[str, bytes]:
    return {"slos/auth.yaml": b"apiVersion: openslo/v1\nkind: SLO\nmetadata:\n  nmae: stepup <b>x</b>\n"}


def a_store(folder: Path, alerts: Sequence[Alert]) -> Store:
    folder.mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{folder / 'flyball.db'}"
    migrate(url)
    store: Store = open_store(url)
    with store.transaction() as transaction:
        for alert in alerts:
            transaction.alerts.record(replace(alert, status=AlertStatus.FIRING, ends_at=None), alert.starts_at)
            transaction.alerts.record(alert, alert.ends_at or NOW)
    return store


def application(state: State, options: ConsoleOptions | None = None) -> Starlette:
    routes = console_routes(state, options or ConsoleOptions(sources=sources))
    return Starlette(routes=routes, exception_handlers=dict(exception_handlers()))


@contextmanager
def serving(app: Starlette) -> Iterator[str]:
    """The application behind a real server, on a thread; the address."""
    port = servers.free_port()
    server = uvicorn.Server(uvicorn.Config(app, host=servers.LOOPBACK, port=port, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert thread.is_alive(), "the console did not start"
        assert time.monotonic() < deadline, "the console did not start in time"
        time.sleep(0.01)
    try:
        yield f"http://{servers.LOOPBACK}:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
