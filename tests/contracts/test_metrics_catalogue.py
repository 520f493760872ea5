"""What every adapter of `MetricsCatalogue` must do, run on a real Prometheus and on VictoriaMetrics."""

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.prometheus_catalogue import PrometheusCatalogue
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.model.series import Series
from controlplane.ports import MetricsCatalogue, Transient
from flyball.demo import servers

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
SERIES = (
    {"__name__": "requests_total", "job": "a", "code": "200"},
    {"__name__": "requests_total", "job": "b", "tenant": 'é " \\'},
    {"__name__": "up", "job": "a"},
)
OLD = {"__name__": "old_total", "job": "a"}


def _written(url: str) -> None:
    with RemoteWriter(url) as writer:
        writer.write([Series(OLD, ((NOW - 72 * HOUR, 1.0),))])
        writer.write([Series(labels, ((NOW - timedelta(minutes=1), 1.0), (NOW, 2.0))) for labels in SERIES])


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = servers.free_port()
    scrape: list[dict[str, object]] = [
        {"job_name": "itself", "scrape_interval": "1s", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]},
        {"job_name": "rare", "scrape_interval": "1m30s", "static_configs": [{"targets": ["127.0.0.1:1"]}]},
    ]
    folder = tmp_path_factory.mktemp("prometheus")
    with servers.prometheus(folder, port=port, scrape=scrape, retention="20d", out_of_order="30d") as server:
        _written(server.url)
        yield server.url


@pytest.fixture(scope="module")
def victoria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = next((name for name in ("victoria-metrics", "victoria-metrics-prod") if shutil.which(name)), "")
    assert program, "victoria-metrics is not installed: run `make setup-test`"
    folder, address = tmp_path_factory.mktemp("victoria"), f"127.0.0.1:{servers.free_port()}"
    command = [program, f"-storageDataPath={folder}", f"-httpListenAddr={address}", "-retentionPeriod=1"]
    url = f"http://{address}"
    ready = lambda: servers.answers(f"{url}/health")  # noqa: E731
    with servers.running("VictoriaMetrics", command, url=url, ready=ready, log=folder / "log"):
        _written(url)
        yield url


@pytest.fixture(params=["prometheus", "victoria"])
def catalogue(request: pytest.FixtureRequest) -> Iterator[MetricsCatalogue]:
    backend = PrometheusBackend(request.getfixturevalue(request.param))
    found = PrometheusCatalogue(backend)
    deadline = time.monotonic() + 30
    while "requests_total" not in found.metric_names(NOW - HOUR, NOW + HOUR):  # VictoriaMetrics shows what it got later
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield found
    backend.close()


def test_names_of_metrics_are_those_of_the_time_asked_for(catalogue: MetricsCatalogue) -> None:
    assert {"requests_total", "up"} <= catalogue.metric_names(NOW - HOUR, NOW + HOUR)
    assert catalogue.metric_names(NOW - 1000 * HOUR, NOW - 900 * HOUR) == frozenset()


def test_labels_are_those_of_one_metric(catalogue: MetricsCatalogue) -> None:
    assert catalogue.label_names("requests_total", NOW - HOUR, NOW + HOUR) == {"job", "code", "tenant"}
    assert catalogue.label_names("nothing", NOW - HOUR, NOW + HOUR) == frozenset()


def test_series_of_several_selectors_come_once_each(catalogue: MetricsCatalogue) -> None:
    found = catalogue.series(['requests_total{job="b"}', "requests_total"], NOW - HOUR, NOW + HOUR)
    assert sorted(found, key=lambda labels: labels["job"]) == list(SERIES[:2])
    assert catalogue.series([], NOW - HOUR, NOW) == []
    assert catalogue.series(["nothing"], NOW - HOUR, NOW) == []


def test_what_a_server_does_not_tell_is_nothing(victoria: str) -> None:
    backend = PrometheusBackend(victoria)
    found = PrometheusCatalogue(backend)
    assert (found.retention(), dict(found.metric_types()), dict(found.scrape_intervals())) == (None, {}, {})
    backend.close()


def test_prometheus_tells_its_retention_types_and_intervals(prometheus: str) -> None:
    backend = PrometheusBackend(prometheus)
    found = PrometheusCatalogue(backend)
    deadline = time.monotonic() + 30
    while len(found.scrape_intervals()) < 2 or "prometheus_tsdb_head_series" not in found.metric_types():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert found.retention() == timedelta(days=20)
    assert found.metric_types()["prometheus_tsdb_head_series"] == "gauge"
    assert found.scrape_intervals() == {"itself": timedelta(seconds=1), "rare": timedelta(seconds=90)}
    backend.close()


def test_silence_is_not_taken_for_nothing() -> None:
    backend = PrometheusBackend(f"http://127.0.0.1:{servers.free_port()}", timeout_seconds=2)
    found = PrometheusCatalogue(backend)
    for ask in (found.retention, found.metric_types, found.scrape_intervals):
        with pytest.raises(Transient):
            ask()
