"""The platform as servers see it: over HTTP, and in a real Prometheus."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from controlplane.adapters.clock import SystemClock
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import RemoteWriter
from flyball.demo import servers
from flyball.demo.platform.catalogue import INTELGRAPH
from flyball.demo.platform.catching_up import catch_up
from flyball.demo.platform.history import write_history
from flyball.demo.platform.live import LivePlatform
from flyball.demo.platform.server import PlatformServer, serving
from flyball.demo.platform.simulation import Simulation

TOKEN = "a-token-of-this-test"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
DAY = 1440


def this_minute() -> int:
    return int(datetime.now(UTC).timestamp() // 60)


@pytest.fixture(scope="module")
def platform() -> Iterator[PlatformServer]:
    seam = this_minute()
    simulation = Simulation(INTELGRAPH, seed=5, start=seam - 60, seam=seam)
    live = LivePlatform(simulation, INTELGRAPH.faults)
    with serving(PlatformServer(live, clock=SystemClock(), control_token=TOKEN)) as server:
        yield server


def test_every_pod_and_the_exporter_of_costs_are_discovered_and_can_be_scraped(platform: PlatformServer) -> None:
    targets = httpx.get(f"{platform.url}/targets").json()
    jobs = {service.name for service in INTELGRAPH.services} | {"opencost"}
    assert {target["labels"]["job"] for target in targets} == jobs
    assert len(targets) == sum(service.pods for service in INTELGRAPH.services) + 1
    for target in targets:
        url = f"http://{target['targets'][0]}{target['labels']['__metrics_path__']}"
        answer = httpx.get(url, headers={"Accept": "application/openmetrics-text;version=1.0.0"})
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
        assert list(text_string_to_metric_families(answer.text))


def test_the_whole_platform_is_on_one_page_too(platform: PlatformServer) -> None:
    text = httpx.get(f"{platform.url}/metrics", headers={"Accept": "application/openmetrics-text"}).text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert {sample.labels["job"] for sample in families["build_info"].samples} == {
        service.name for service in INTELGRAPH.services
    }
    assert {sample.labels["job"] for sample in families["node_total_hourly_cost"].samples} == {"opencost"}
    assert len({sample.labels["pod"] for sample in families["http_requests"].samples}) == 3


def test_an_old_scraper_gets_the_old_format(platform: PlatformServer) -> None:
    answer = httpx.get(f"{platform.url}/metrics", headers={"Accept": "text/plain"})
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "trace_id" not in answer.text


@pytest.mark.parametrize("path", ["/pods/nobody/metrics", "/nothing", "/faults/x"])
def test_what_is_not_there_is_404_with_a_reason(platform: PlatformServer, path: str) -> None:
    answer = httpx.get(platform.url + path)
    assert answer.status_code == 404
    assert answer.json()["error"]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN[:-1]}])
def test_nobody_breaks_anything_without_the_token(platform: PlatformServer, headers: dict[str, str]) -> None:
    assert httpx.put(f"{platform.url}/faults/outage", headers=headers).status_code == 401
    assert platform.platform.broken() == {}


def test_a_fault_is_switched_on_once_and_off_once(platform: PlatformServer) -> None:
    url = f"{platform.url}/faults/errors"
    assert httpx.put(url, headers=HEADERS).json() == {"changed": True}
    assert httpx.put(url, headers=HEADERS).json() == {"changed": False}
    since = {fault["name"]: fault["since"] for fault in httpx.get(f"{platform.url}/faults").json()}
    assert since["errors"]
    assert since["outage"] is None
    assert httpx.delete(url, headers=HEADERS).json() == {"changed": True}
    assert httpx.delete(url, headers=HEADERS).json() == {"changed": False}


def test_an_unknown_fault_is_refused_with_the_names_of_those_that_exist(platform: PlatformServer) -> None:
    answer = httpx.put(f"{platform.url}/faults/earthquake", headers=HEADERS)
    assert answer.status_code == 404
    assert "errors, latency, outage" in answer.json()["error"]


def test_prometheus_holds_the_history_to_the_last_event(tmp_path_factory: pytest.TempPathFactory) -> None:
    seam = this_minute() - 3
    simulation = Simulation(INTELGRAPH, seed=5, start=seam - 3 * DAY, seam=seam)
    shares: list[float] = []
    with servers.prometheus(tmp_path_factory.mktemp("prometheus"), block_duration="40d") as server:
        with RemoteWriter(server.url) as writer:
            samples = write_history(simulation, writer.send, shares.append)
        backend = PrometheusBackend(server.url)
        at = datetime.fromtimestamp(60 * seam, UTC)
        assert samples > 1_000_000
        assert shares[-1] == 1
        assert shares == sorted(shares)

        pods = LivePlatform(simulation, ()).pods(at)
        expected = sum(
            int(pod.cells[number])
            for pod in pods
            if pod.slot.service.name == "graphql-gateway"
            for number, column in enumerate(pod.layout.columns)
            if simulation.traffic.streams[column // 2].flow.name == "gateway.requests"
        )
        (total,) = backend.query("sum(http_requests_total)", at)
        assert total.value == expected
        # Pods that were replaced are gone at once, those that live are all there.
        assert {sample.labels["pod"] for sample in backend.query("build_info", at)} == {pod.life.pod for pod in pods}
        # Restarts are seen as resets: nothing is counted twice or lost, save for what a new pod counts before its first
        # sample, which is none here.
        (grown,) = backend.query(f"sum(increase(opa_decision_duration_seconds_count[{3 * DAY}m]))", at)
        stream = next(
            number for number, stream in enumerate(simulation.traffic.streams) if stream.flow.name == "opa.decisions"
        )
        cells = np.concatenate([layout.columns for layout in simulation.layouts]) // 2 == stream
        assert grown.value == pytest.approx(simulation.counts(simulation.start, 3 * DAY)[:, cells].sum(), rel=0.01)

        # The minutes until the first scrape are caught up with, by the same series.
        later = at + timedelta(minutes=3)
        with RemoteWriter(server.url) as writer:
            catch_up(LivePlatform(simulation, ()), seam, later, writer.send)
        for metric in ("http_requests_total", "node_total_hourly_cost"):
            (before,), (after,) = backend.query(f"count({metric})", at), backend.query(f"count({metric})", later)
            assert before.value == after.value
        (caught,) = backend.query("sum(http_requests_total) - sum(http_requests_total offset 3m)", later)
        (usual,) = backend.query("sum(rate(http_requests_total[5m])) * 180", at)
        assert caught.value == pytest.approx(usual.value, rel=0.2)
        backend.close()


def test_live_churn_shows_in_discovery() -> None:
    seam = this_minute()
    simulation = Simulation(INTELGRAPH, seed=5, start=seam - 60, seam=seam)
    live = LivePlatform(simulation, ())
    now = datetime.fromtimestamp(60 * seam, UTC)
    before = {pod.life.pod for pod in live.pods(now)}
    after = {pod.life.pod for pod in live.pods(now + timedelta(days=3))}
    assert before != after
    assert len(before) == len(after)
