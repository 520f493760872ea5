"""The demo's own parts from end to end, in real time: break, page, heal, resolve.

A page stays for five minutes after its last bad event, because it looks at a window of five minutes. So this begins
before anything else (conftest.py) and takes about eight minutes, nearly all of them idle.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from typer.testing import CliRunner

from controlplane import check_names
from controlplane import conventions as names
from controlplane.adapters.clock import SystemClock
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.model.alert import AlertStatus, StoredAlert
from controlplane.model.generation import TextFile
from controlplane.model.ladder import StepOutcome, StepRecord
from controlplane.store import open_store
from dashboards.queries import queries_of
from flyball.cli import app
from flyball.cli import commands as commands
from flyball.demo.folder import DemoFolder
from flyball.demo.platform.catalogue import INTELGRAPH
from flyball.demo.platform.costly import TOKEN_USD
from flyball.demo.platform.platform_flags import FULL_SERVICE
from flyball.demo.platform.shapes import Catalogue, Demand, Fault
from flyball.demo.run import Demo, DemoOptions, example_workspace, started
from flyball.demo.steps import PlainSteps
from flyball.grafana import grafana_files
from flyball.slo_workspace import SLOWorkspace
from slo.compiler import CompileOptions

GATEWAY = "graphql-gateway-availability"
TENANTS = "graphql-gateway-availability-by-tenant"  # a budget each, by the calendar month
BUSY = ("graphql-gateway", "neo4j", "opa", "ingest", "subscriptions")  # they always have a bad event to show
CHOSEN = {"tenant": "gamma"}  # where a dashboard lets its reader choose
SCHEDULED_EVENTS = f'{names.total_events("30d")}{{slo=~"workflows-.+",event="all"}}'
Answer = TypeVar("Answer")


def eventually(ask: Callable[[], Answer], seconds: float, what: str) -> Answer:
    """The first answer that is true. The deadline is the promise that is tested, or generous."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.3)
    return answer


def dearer(fault: Fault) -> Fault:
    """The fault `cost` three times as bad, so that its budget pages before the outage is over."""
    if fault.name != "cost":
        return fault
    return replace(fault, effects=tuple(replace(effect, traffic=3 * effect.traffic) for effect in fault.effects))


# The same traffic at every hour and no incident in the past, so that the tests do not depend on when they run.
EVEN = replace(
    INTELGRAPH,
    flows=tuple(replace(flow, demand=Demand.STEADY) for flow in INTELGRAPH.flows),
    incidents=(),
    faults=tuple(map(dearer, INTELGRAPH.faults)),
)


@contextmanager
def running(folder: Path, platform: Catalogue) -> Iterator[Demo]:
    options = DemoOptions(DemoFolder(folder / "demo"), history=timedelta(days=2), catalogue=platform)
    with (folder / "steps").open("w") as out, started(options, clock=SystemClock(), steps=PlainSteps(out)) as demo:
        yield demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = DemoFolder(tmp_path_factory.mktemp("demo") / "demo")
    options = DemoOptions(folder, history=timedelta(days=2), port=0, catalogue=EVEN)
    with (
        (folder.root.parent / "steps").open("w") as out,
        started(options, clock=SystemClock(), steps=PlainSteps(out)) as demo,
    ):
        yield demo
    assert not folder.root.exists()


@pytest.fixture(scope="module")
def backend(demo: Demo) -> Iterator[PrometheusBackend]:
    backend = PrometheusBackend(demo.running.prometheus_url)
    yield backend
    backend.close()


def now() -> datetime:
    return datetime.now(UTC)


def stored(demo: Demo, slo: str, severity: str = names.SEVERITY_PAGE) -> list[StoredAlert]:
    store = open_store(f"sqlite:///{demo.folder.root / 'flyball.db'}")
    try:
        with store.transaction(read_only=True) as transaction:
            return [
                one
                for one in transaction.alerts.recent(1000)
                if one.alert.labels.get("slo") == slo and one.alert.labels.get("severity") == severity
            ]
    finally:
        store.close()


def told_about(demo: Demo, budget: str) -> set[tuple[str, str]]:
    """Names and severities of alerts about a budget that Flyball has stored."""
    store = open_store(f"sqlite:///{demo.folder.root / 'flyball.db'}")
    try:
        with store.transaction(read_only=True) as transaction:
            labels = [one.alert.labels for one in transaction.alerts.recent(1000)]
    finally:
        store.close()
    return {(one["alertname"], one["severity"]) for one in labels if one.get("budget") == budget}


def usd_an_hour(backend: PrometheusBackend) -> float:
    """What language models cost, by the last half minute."""
    query = "sum by (gen_ai_request_model, gen_ai_token_type) (rate(gen_ai_client_token_usage_sum[30s])) * 3600"
    return sum(
        sample.value * float(TOKEN_USD[sample.labels["gen_ai_request_model"], sample.labels["gen_ai_token_type"]])
        for sample in backend.query(query, now())
    )


def firing_in_prometheus(backend: PrometheusBackend, slo: str) -> bool:
    return bool(backend.query(f'ALERTS{{slo="{slo}",severity="page",alertstate="firing"}}', now()))


def statuses(demo: Demo, slo: str) -> list[AlertStatus]:
    return [one.alert.status for one in stored(demo, slo)]


def paged(demo: Demo, slo: str, part: str) -> bool:
    """Whether an incident (`open` or `ended`) has an alert of this SLO, and PagerDuty shows it as it is."""
    api = f"{demo.running.console_url}/api/v1/incidents"
    for each in httpx.get(api, timeout=20).json()[part]:
        found = httpx.get(f"{api}/{each['id']}", timeout=20).json()
        pages = [it for it in found["outside"] if it["channel"].startswith("pagerduty:")]
        if pages and slo in {alert["labels"].get("slo") for alert in found["alerts"]}:
            return all(bool(page["closed_at"]) == (part == "ended") for page in pages)
    return False


def told_by_api(demo: Demo, slo: str) -> set[str]:
    """The statuses of the pages about an objective, as the console's API has them."""
    answer = httpx.get(f"{demo.running.console_url}/api/v1/alerts", timeout=30).raise_for_status().json()
    alerts = [*answer["firing"], *answer["recent"]]
    return {one["status"] for one in alerts if (one["slo"], one["severity"]) == (slo, "page")}


def dashboards() -> tuple[TextFile, ...]:
    """Those of the example's workspace."""
    return grafana_files(SLOWorkspace(example_workspace(), CompileOptions()).compile().slos)


def exemplars(demo: Demo, query: str) -> list[object]:
    """What Prometheus has stored of the last minutes."""
    form: dict[str, str | float] = {"query": query, "start": time.time() - 300, "end": time.time()}
    answer = httpx.get(f"{demo.running.prometheus_url}/api/v1/query_exemplars", params=form).raise_for_status()
    return list(answer.json()["data"])


def verdicts(demo: Demo) -> dict[str, str]:
    """What all regions together say about each check."""
    answer = httpx.get(f"{demo.running.console_url}/api/v1/checks", timeout=30).raise_for_status().json()
    return {check["name"]: check["verdict"] for check in answer["checks"]}


def page_of(demo: Demo) -> dict[str, dict[str, str]]:
    """What the public status page says, as programs read it."""
    url = f"{demo.running.console_url}/status/intelgraph/api/v2/status.json"
    answer: dict[str, dict[str, str]] = httpx.get(url, timeout=30).raise_for_status().json()
    return answer


def components(demo: Demo) -> str:
    """What it says of components."""
    url = f"{demo.running.status_url}api/v2/components.json"
    return httpx.get(url, timeout=30).raise_for_status().text


def shown(demo: Demo, slo: str) -> bool:
    """Whether the objective's own page in the console says that a page is firing."""
    page = httpx.get(f"{demo.running.console_url}/slos/{slo}", timeout=30).raise_for_status()
    return "page firing" in page.text


def steps_of(demo: Demo) -> list[StepRecord]:
    """What the ladder did, the oldest step first."""
    store = open_store(f"sqlite:///{demo.folder.root / 'flyball.db'}")
    try:
        with store.transaction(read_only=True) as transaction:
            return transaction.ladders.steps("intelgraph")[::-1]
    finally:
        store.close()


def tier_of(demo: Demo) -> int:
    """The tier in force, as the console's API has it."""
    answer = httpx.get(f"{demo.running.console_url}/api/v1/ladders", timeout=30).raise_for_status().json()
    (tier,) = (one["tier"] for one in answer["ladders"])
    return int(tier)


def flags_of(demo: Demo) -> dict[str, bool | int]:
    """Every flag's value in the file that the platform reads."""
    flags = json.loads(demo.folder.flags.read_text())["flags"]
    return {name: flag["variants"][flag["defaultVariant"]] for name, flag in flags.items()}


def ladder(demo: Demo, *arguments: str) -> str:
    """A command about the ladder, in the demo's workspace."""
    command, *rest = arguments
    result = CliRunner().invoke(app, ["ladder", command, "intelgraph", str(demo.folder.workspace), *rest])
    assert result.exit_code == 0, result.output
    return result.output


def flyball(demo: Demo, *arguments: str) -> str:
    result = CliRunner().invoke(app, ["demo", "--folder", str(demo.folder.root), *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_every_budget_means_something_from_the_first_moment_on(demo: Demo, backend: PrometheusBackend) -> None:
    left = {sample.labels["slo"]: sample.value for sample in backend.query(names.BUDGET_REMAINING, now())}
    assert len(left) == 17
    coverage = backend.query(f'{names.WINDOW_COVERAGE}{{slo!="{TENANTS}"}}', now())
    assert {round(sample.value, 2) for sample in coverage} == {round(2 / 30, 2)}
    of_tenants = backend.query(f'{names.BUDGET_REMAINING}{{slo="{TENANTS}"}}', now())
    assert {sample.labels["tenant"] for sample in of_tenants} == {tenant.name for tenant in INTELGRAPH.tenants}
    events = {sample.labels["slo"]: sample.value for sample in backend.query(SCHEDULED_EVENTS, now())}
    assert events["workflows-hello-world"] == pytest.approx(2 * 24 * 12, abs=4)  # one every five minutes
    assert events["workflows-hello-case"] == pytest.approx(2 * 4, abs=1)  # one every six hours
    burning = {sample.labels["slo"] for sample in backend.query(names.burn_rate("6h"), now())}
    assert burning >= left.keys() - {"workflows-hello-case"}


def test_everything_is_scraped_with_exemplars(demo: Demo, backend: PrometheusBackend) -> None:
    pods = sum(service.pods for service in INTELGRAPH.services)
    eventually(lambda: len(backend.query("up == 1", now())) == pods + 2, 60, "all pods, OpenCost, Flyball are up")

    eventually(lambda: exemplars(demo, "graphql_latency_bucket"), 60, "exemplars are stored")


def test_history_and_present_are_one_series(backend: PrometheusBackend) -> None:
    query = "count by (pod) (count by (pod, instance, job) (http_requests_total))"
    eventually(lambda: backend.query("up == 1", now()), 60, "the first scrape")
    assert {sample.value for sample in backend.query(query, now())} == {1}
    rate = "sum(rate(http_requests_total[5m])) / sum(rate(http_requests_total[1h] offset 10m))"
    assert backend.query(rate, now())[0].value == pytest.approx(1, abs=0.25)


def test_every_query_of_every_dashboard_returns_data(demo: Demo, backend: PrometheusBackend) -> None:
    at = now()
    empty = [
        f"{asked.place.value} {asked.title}: {asked.expr}"
        for file in dashboards()
        for asked in queries_of(file.text, variables=CHOSEN)
        if not (
            backend.query(asked.expr, at)
            if asked.instant
            else backend.query_range(asked.expr, at - timedelta(minutes=10), at, timedelta(minutes=1))
        )
    ]
    assert empty == []


def test_the_chart_of_every_budget_reaches_back_over_the_past(backend: PrometheusBackend) -> None:
    end = now()
    asked = f'last_over_time({names.BUDGET_REMAINING}{{slo!="{TENANTS}"}}[15m])'
    step = timedelta(minutes=10)
    past = backend.query_range(asked, end - timedelta(hours=40), end, step)
    assert len(past) == 16
    assert {len(series.points) for series in past} == {timedelta(hours=40) // step + 1}


def test_dashboards_find_exemplars(demo: Demo) -> None:
    asked = {
        file.name: [each for each in queries_of(file.text, variables=CHOSEN) if each.exemplar] for file in dashboards()
    }
    busy = [name for name in asked if asked[name] and any(f"slo-{one}-" in name for one in BUSY)]
    assert len(busy) == 9

    def without() -> list[str]:
        return [name for name in busy if not any(exemplars(demo, each.expr) for each in asked[name])]

    eventually(lambda: not without(), 60, "each of the busy objectives' dashboards shows exemplars")


def test_what_the_past_cost_is_known(backend: PrometheusBackend) -> None:
    per_day = {
        sample.labels["resource"]: sample.value / 2
        for sample in backend.query(f"sum by (resource) (sum_over_time({names.SPEND_LEDGER}[2d]))", now())
    }
    # 14 hours a day of two nodes may or may not lie in these days.
    assert 430 < per_day["node"] < 490
    assert per_day["byte"] == pytest.approx(56, rel=0.1)
    assert per_day["token"] == pytest.approx(125, rel=0.1)
    spenders = {service.name for service in INTELGRAPH.services} | {names.IDLE_SERVICE}
    eventually(
        lambda: {sample.labels["service"] for sample in backend.query(names.SPEND_ROLLING, now())} == spenders,
        180,
        "what every service spends is known live",
    )
    latest = f"last_over_time({names.BUDGET_SPENT}[15m])"
    spent = {sample.labels["budget"]: sample.value for sample in backend.query(latest, now())}
    assert spent.keys() >= {"infrastructure", "llm"}
    assert all(value > 0 for value in spent.values())
    assert backend.query(names.UNPRICED_USAGE, now()) == []


def test_break_cost_multiplies_what_language_models_cost(demo: Demo, backend: PrometheusBackend) -> None:
    """What comes of it is looked at when the outage below is over."""
    assert "broken" in flyball(demo, "break", "cost")
    eventually(lambda: usd_an_hour(backend) > 500, 60, "tokens cost a hundred times as much")


def test_three_regions_probe_the_platform_and_the_public_sees_it(demo: Demo, backend: PrometheusBackend) -> None:
    eventually(lambda: set(verdicts(demo).values()) == {"up"}, 240, "every probe and journey runs, and is up")
    assert len(verdicts(demo)) == 11  # core-flow in a real browser among them
    assert page_of(demo)["status"]["description"] == "All Systems Operational"
    asked = f'count by (region) ({check_names.PROBE_SUCCESS}{{probe="gateway-health"}} == 1)'
    eventually(lambda: len(backend.query(asked, now())) == 3, 60, "Prometheus has what the regions saw")


def test_after_break_region_it_is_regional_and_nowhere_global(demo: Demo) -> None:
    assert "broken" in flyball(demo, "break", "region")
    eventually(lambda: verdicts(demo)["gateway-health"] == "regional", 60, "one region is told apart")
    assert "global" not in verdicts(demo).values()
    eventually(lambda: page_of(demo)["status"]["indicator"] == "major", 60, "the public page tells of it")
    assert "healed" in flyball(demo, "heal", "region")


def test_after_break_outage_the_page_fires_is_stored_and_shown_within_two_minutes(
    demo: Demo, backend: PrometheusBackend
) -> None:
    assert not shown(demo, GATEWAY)
    deadline = time.monotonic() + 120
    assert "broken" in flyball(demo, "break", "outage")
    assert "outage" in flyball(demo, "status")
    eventually(lambda: firing_in_prometheus(backend, GATEWAY), deadline - time.monotonic(), "the page fires")
    eventually(lambda: stored(demo, GATEWAY), deadline - time.monotonic(), "the page is stored")
    eventually(lambda: paged(demo, GATEWAY, "open"), deadline - time.monotonic(), "the pager has it")
    eventually(lambda: shown(demo, GATEWAY), deadline - time.monotonic(), "the console shows it")
    eventually(lambda: told_by_api(demo, GATEWAY) == {"firing"}, deadline - time.monotonic(), "the API tells it")
    eventually(lambda: verdicts(demo)["gateway-health"] == "global", deadline - time.monotonic(), "all regions agree")
    eventually(lambda: page_of(demo)["status"]["indicator"] == "critical", 60, "the public page tells of it")


def test_after_heal_no_more_requests_fail(demo: Demo, backend: PrometheusBackend) -> None:
    assert "healed" in flyball(demo, "heal", "outage")
    ratio = 'sum(rate(http_requests_total{code=~"5.."}[15s])) / sum(rate(http_requests_total[15s])) < 0.01'
    eventually(lambda: backend.query(ratio, now()), 60, "the gateway answers again")


def test_the_page_resolves_and_says_what_it_was_about(demo: Demo, backend: PrometheusBackend) -> None:
    eventually(lambda: statuses(demo, GATEWAY) == [AlertStatus.RESOLVED], 420, "the page has resolved in the store")
    assert not firing_in_prometheus(backend, GATEWAY)
    eventually(lambda: told_by_api(demo, GATEWAY) == {"resolved"}, 60, "the API tells that it is over")
    eventually(lambda: not shown(demo, GATEWAY), 60, "the console shows that it is over")
    eventually(lambda: set(verdicts(demo).values()) == {"up"}, 150, "every probe and journey is up again")
    (page,) = stored(demo, GATEWAY)
    assert page.alert.annotations[names.RUNBOOK_URL].endswith("/gateway-outage")
    assert "route=/graphql/query" in page.alert.annotations[names.WORST]
    assert "?" not in page.alert.annotations[names.DESCRIPTION]
    assert eventually(lambda: paged(demo, GATEWAY, "ended"), 300, "its incident is over, in the pager too")


def test_meanwhile_the_ladder_stepped_down_to_tier_3_one_verified_step_at_a_time(demo: Demo) -> None:
    """The fault `cost` drives it as well; what is above tier 3 wants an approval."""
    eventually(lambda: tier_of(demo) == 3, 420, "the ladder is at tier 3")
    steps = steps_of(demo)
    committed = [step for step in steps if step.outcome is StepOutcome.COMMITTED]
    assert [(step.from_tier, step.to_tier) for step in committed] == [(0, 1), (1, 2), (2, 3)]
    assert all(step.verified_at and "core-flow-api" in step.journeys for step in committed)
    assert "Ladder        intelgraph: tier 3 (shed) since" in flyball(demo, "status")
    assert flags_of(demo)["enrichers-paused"] is True
    assert all(step.outcome in (StepOutcome.COMMITTED, StepOutcome.UNDONE) for step in steps)  # in the outage, undone


def test_the_spike_was_told_and_then_the_budget_paged(demo: Demo, backend: PrometheusBackend) -> None:
    eventually(lambda: ("SpendSpike", "ticket") in told_about(demo, "llm"), 60, "the spike is a ticket")
    eventually(lambda: ("BudgetBurn", "page") in told_about(demo, "llm"), 420, "the burning budget is a page")
    assert ("BudgetBurn", "page") not in told_about(demo, "infrastructure")
    assert "healed" in flyball(demo, "heal", "cost")
    eventually(lambda: 0 < usd_an_hour(backend) < 20, 90, "tokens cost what they used to")


@pytest.mark.soak
@pytest.mark.parametrize(("fault", "paged_within"), [("errors", 150), ("latency", 300)])
def test_milder_faults_page_and_resolve_too(tmp_path: Path, fault: str, paged_within: int) -> None:
    with running(tmp_path, EVEN) as demo:
        flyball(demo, "break", fault)
        eventually(lambda: stored(demo, GATEWAY), paged_within, "the page is stored")
        flyball(demo, "heal", fault)
        eventually(lambda: statuses(demo, GATEWAY) == [AlertStatus.RESOLVED], 420, "the page has resolved")


@pytest.mark.soak
def test_an_outage_of_three_minutes_resolves_as_soon_as_a_short_one(tmp_path: Path) -> None:
    with running(tmp_path, INTELGRAPH) as demo:
        healed = time.monotonic() + 180
        flyball(demo, "break", "outage")
        eventually(lambda: stored(demo, GATEWAY), 120, "the page is stored")
        eventually(lambda: time.monotonic() >= healed, 180, "somebody who takes their time heals it")
        flyball(demo, "heal", "outage")
        eventually(lambda: statuses(demo, GATEWAY) == [AlertStatus.RESOLVED], 420, "the page has resolved")


@pytest.mark.soak
def test_the_page_about_a_budget_resolves_after_the_connector_is_healed(tmp_path: Path) -> None:
    with running(tmp_path, EVEN) as demo:
        flyball(demo, "break", "cost")
        eventually(lambda: ("BudgetBurn", "page") in told_about(demo, "llm"), 900, "the budget pages")
        flyball(demo, "heal", "cost")
        backend = PrometheusBackend(demo.running.prometheus_url)
        firing = f'ALERTS{{alertname="{names.ALERT_BUDGET_BURN}",budget="llm",severity="page",alertstate="firing"}}'
        eventually(lambda: not backend.query(firing, now()), 600, "the page is over")
        told = demo.folder.logs / "told"
        eventually(lambda: "Resolved" in told.read_text(), 300, "its end is told")
        backend.close()


@pytest.mark.soak
def test_spend_takes_the_ladder_to_tier_3_and_no_further_and_healed_it_comes_back_to_full_service(
    tmp_path: Path,
) -> None:
    """The promise of docs/tutorial/ladder.md: up within 6 minutes, down within 12, and nothing fails on the way."""
    with running(tmp_path, EVEN) as demo:
        backend = PrometheusBackend(demo.running.prometheus_url)
        eventually(lambda: backend.query(names.budget_burn_rate("5m"), now()), 180, "budgets burn")
        flyball(demo, "break", "spend")
        eventually(lambda: tier_of(demo) == 3, 360, "the ladder is at tier 3")
        up = steps_of(demo)
        assert [(step.from_tier, step.to_tier) for step in up] == [(0, 1), (1, 2), (2, 3)]
        assert all(step.outcome is StepOutcome.COMMITTED and step.verified_at for step in up)
        eventually(lambda: 30 < usd_an_hour(backend) < 50, 60, "what is left is less than half")
        eventually(lambda: "flyball_reduced" in components(demo), 60, "the public is told")

        ladder(demo, "hold", "--for", "2m", "--why", "a look around")
        settled = time.monotonic() + 150
        eventually(lambda: time.monotonic() > settled, 200, "held, and longer than every window of five minutes needs")
        assert tier_of(demo) == 3
        assert "tier 3" in ladder(demo, "status")

        flyball(demo, "heal", "spend")
        eventually(lambda: tier_of(demo) == 0, 720, "the ladder is back at full service")
        steps = steps_of(demo)
        assert [(step.from_tier, step.to_tier) for step in steps[3:]] == [(3, 2), (2, 1), (1, 0)]
        assert all(step.outcome is StepOutcome.COMMITTED and step.verified_at for step in steps)
        assert flags_of(demo) == FULL_SERVICE.flags()
        eventually(lambda: set(verdicts(demo).values()) == {"up"}, 60, "every probe and journey is up")
        backend.close()
