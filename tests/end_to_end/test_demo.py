"""The demo's own parts from end to end, in real time: break, page, heal, resolve.

A page stays for five minutes after its last bad event, because it looks at a window of five minutes, and for half an
hour when more than 5 % of the budget was spent. So this begins before anything else (conftest.py) and takes about six
minutes, nearly all of them idle.
"""

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

from controlplane import conventions as names
from controlplane.adapters.clock import SystemClock
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.model.alert import AlertStatus, StoredAlert
from controlplane.store import open_store
from flyball.cli import app
from flyball.cli import commands as commands
from flyball.demo.folder import DemoFolder
from flyball.demo.platform.catalogue import INTELGRAPH
from flyball.demo.platform.shapes import Catalogue, Demand
from flyball.demo.run import Demo, DemoOptions, started
from flyball.demo.steps import PlainSteps

pytestmark = pytest.mark.xdist_group("demo")

GATEWAY = "graphql-gateway-availability"
Answer = TypeVar("Answer")


def eventually(ask: Callable[[], Answer], seconds: float, what: str) -> Answer:
    """The first answer that is true. The deadline is the promise that is tested, or generous."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.3)
    return answer


# The same traffic at every hour and no incident in the past, so that the tests do not depend on when they run.
EVEN = replace(
    INTELGRAPH,
    flows=tuple(replace(flow, demand=Demand.STEADY) for flow in INTELGRAPH.flows),
    incidents=(),
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


def firing_in_prometheus(backend: PrometheusBackend, slo: str) -> bool:
    return bool(backend.query(f'ALERTS{{slo="{slo}",severity="page",alertstate="firing"}}', now()))


def statuses(demo: Demo, slo: str) -> list[AlertStatus]:
    return [one.alert.status for one in stored(demo, slo)]


def shown(demo: Demo, slo: str) -> bool:
    """Whether the objective's own page in the console says that a page is firing."""
    page = httpx.get(f"{demo.running.console_url}/slos/{slo}", timeout=30).raise_for_status()
    return "page firing" in page.text


def seconds_to_next_evaluation(demo: Demo) -> float:
    """Until the rule that pages about the gateway is evaluated again."""
    groups = httpx.get(f"{demo.running.prometheus_url}/api/v1/rules").json()["data"]["groups"]
    (last,) = (group["lastEvaluation"] for group in groups if group["name"] == f"slo:{GATEWAY}:1m")
    return 60 - (now() - datetime.fromisoformat(last[:19] + "+00:00")).total_seconds()


def flyball(demo: Demo, *arguments: str) -> str:
    result = CliRunner().invoke(app, ["demo", "--folder", str(demo.folder.root), *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_every_budget_means_something_from_the_first_moment_on(demo: Demo, backend: PrometheusBackend) -> None:
    left = {sample.labels["slo"]: sample.value for sample in backend.query(names.BUDGET_REMAINING, now())}
    assert len(left) == len(list((demo.folder.workspace / "slo").glob("*.yaml"))) + 10 == 17
    coverage = backend.query(names.WINDOW_COVERAGE, now())
    assert {round(sample.value, 2) for sample in coverage} == {round(2 / 30, 2)}
    burning = {sample.labels["slo"] for sample in backend.query(names.burn_rate("6h"), now())}
    assert burning >= left.keys() - {"workflows-hello-case"}


def test_everything_is_scraped_with_exemplars(demo: Demo, backend: PrometheusBackend) -> None:
    pods = sum(service.pods for service in INTELGRAPH.services)
    eventually(lambda: len(backend.query("up == 1", now())) == pods + 1, 60, "every pod and Flyball itself are up")

    def exemplars() -> list[object]:
        form = {"query": "graphql_latency_bucket", "start": time.time() - 300, "end": time.time()}
        return list(httpx.get(f"{demo.running.prometheus_url}/api/v1/query_exemplars", params=form).json()["data"])

    eventually(exemplars, 60, "exemplars are stored")


def test_history_and_present_are_one_series(backend: PrometheusBackend) -> None:
    query = "count by (pod) (count by (pod, instance, job) (http_requests_total))"
    eventually(lambda: backend.query("up == 1", now()), 60, "the first scrape")
    assert {sample.value for sample in backend.query(query, now())} == {1}
    rate = "sum(rate(http_requests_total[5m])) / sum(rate(http_requests_total[1h] offset 10m))"
    assert backend.query(rate, now())[0].value == pytest.approx(1, abs=0.25)


def test_after_break_outage_the_page_fires_is_stored_and_shown_within_two_minutes(
    demo: Demo, backend: PrometheusBackend
) -> None:
    # The outage needs 17 seconds to be worth a page. Half a minute before the next evaluation it will have spent less
    # than 5 % of the budget when it is healed, and the page resolves after 5 minutes instead of 30.
    eventually(lambda: 28 < seconds_to_next_evaluation(demo) < 32, 130, "the moment to break")
    assert not shown(demo, GATEWAY)
    deadline = time.monotonic() + 120
    assert "broken" in flyball(demo, "break", "outage")
    assert "outage" in flyball(demo, "status")
    eventually(lambda: firing_in_prometheus(backend, GATEWAY), deadline - time.monotonic(), "the page fires")
    eventually(lambda: stored(demo, GATEWAY), deadline - time.monotonic(), "the page is stored")
    told = demo.folder.logs / "told"
    eventually(lambda: f"slo={GATEWAY}" in told.read_text(), deadline - time.monotonic(), "the page is told")
    eventually(lambda: shown(demo, GATEWAY), deadline - time.monotonic(), "the console shows it")


def test_after_heal_no_more_requests_fail(demo: Demo, backend: PrometheusBackend) -> None:
    assert "healed" in flyball(demo, "heal", "outage")
    ratio = 'sum(rate(http_requests_total{code=~"5.."}[15s])) / sum(rate(http_requests_total[15s])) < 0.01'
    eventually(lambda: backend.query(ratio, now()), 60, "the gateway answers again")


def test_the_page_resolves_and_says_what_it_was_about(demo: Demo, backend: PrometheusBackend) -> None:
    eventually(lambda: statuses(demo, GATEWAY) == [AlertStatus.RESOLVED], 420, "the page has resolved in the store")
    assert not firing_in_prometheus(backend, GATEWAY)
    (page,) = stored(demo, GATEWAY)
    assert page.alert.annotations[names.RUNBOOK_URL].endswith("/gateway-outage")
    assert "route=/graphql/query" in page.alert.annotations[names.WORST]
    assert "?" not in page.alert.annotations[names.DESCRIPTION]
    assert eventually(lambda: "RESOLVED" in (demo.folder.logs / "told").read_text(), 30, "its end is told")


@pytest.mark.soak
@pytest.mark.parametrize("fault", ["errors", "latency"])
def test_milder_faults_page_and_resolve_too(tmp_path: Path, fault: str) -> None:
    with running(tmp_path, EVEN) as demo:
        flyball(demo, "break", fault)
        eventually(lambda: stored(demo, GATEWAY), 420, "the page is stored")
        flyball(demo, "heal", fault)
        eventually(lambda: statuses(demo, GATEWAY) == [AlertStatus.RESOLVED], 40 * 60, "the page has resolved")
