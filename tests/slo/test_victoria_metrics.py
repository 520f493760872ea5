"""The rules on VictoriaMetrics: vmalert loads them, and a budget comes out right there."""

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controlplane import conventions as names
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.model.rule import RuleFile
from controlplane.model.rule_form import RuleForm, Target
from controlplane.model.series import Series
from controlplane.rule_manifests import in_form
from controlplane.rulefile import to_yaml
from flyball.demo import servers
from slo import cold_start
from slo.compiler import CompileOptions, compile_rules
from tests.slo.slos import an_slo, good_requests, latency, requests

NOW = datetime.fromtimestamp(datetime.now(UTC).timestamp() // 300 * 300, UTC)
REQUESTS_A_MINUTE = 600


@pytest.fixture(scope="module")
def victoria_metrics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its URL; it has a day of requests, 0.05 % of them errors."""
    folder = tmp_path_factory.mktemp("victoria-metrics")
    port = servers.free_port()
    url = f"http://{servers.LOOPBACK}:{port}"
    command = [
        "victoria-metrics",
        f"-storageDataPath={folder / 'data'}",
        f"-httpListenAddr={servers.LOOPBACK}:{port}",
        "-retentionPeriod=2",
        "-search.latencyOffset=0s",
        "-search.disableCache",
    ]
    ready = lambda: servers.answers(f"{url}/health")  # noqa: E731
    with servers.running("VictoriaMetrics", command, url=url, ready=ready, log=folder / "log"):
        times = [NOW - timedelta(minutes=minute) for minute in range(26 * 60, -1, -1)]
        with RemoteWriter(url) as writer:
            writer.write([_counter(times, "200", 0.9995), _counter(times, "500", 0.0005)])
        _flush(url)
        yield url


def _counter(times: list[datetime], code: str, share: float) -> Series:
    labels = {"__name__": "http_requests_total", "job": "shop", "code": code}
    return Series(labels, tuple((at, minute * REQUESTS_A_MINUTE * share) for minute, at in enumerate(times)))


def _flush(url: str) -> None:
    """Make what was written visible to queries."""
    assert servers.answers(f"{url}/internal/force_flush")


def test_a_budget_on_victoria_metrics_is_what_it_is_in_truth(victoria_metrics: str) -> None:
    backend = PrometheusBackend(victoria_metrics)
    for slo in (an_slo("bad", requests("shop"), days=1), an_slo("good", good_requests("shop"), days=1)):
        files = compile_rules([slo])
        with RemoteWriter(victoria_metrics) as writer:
            cold_start.backfill(cold_start.plan([slo], NOW), backend, writer)
            _flush(victoria_metrics)
            for stage in cold_start.derived_rules(files):
                cold_start.evaluate_once([stage], backend, writer, NOW)
                _flush(victoria_metrics)
        (remaining,) = backend.query(f'{names.BUDGET_REMAINING}{{slo="{slo.name}"}}', NOW)
        assert remaining.value == pytest.approx(0.5, abs=0.01)
        (total,) = backend.query(f'{names.total_events("1d")}{{slo="{slo.name}",event="all"}}', NOW)
        assert total.value == pytest.approx(24 * 60 * REQUESTS_A_MINUTE, rel=0.01)
        (covered,) = backend.query(f'{names.WINDOW_COVERAGE}{{slo="{slo.name}"}}', NOW)
        assert covered.value == pytest.approx(1, abs=0.01)


def _vmalert_takes(folder: Path, files: tuple[RuleFile, ...]) -> None:
    folder.mkdir()
    written = in_form(RuleForm.VMALERT, {file.name: to_yaml(file) for file in files}, Target())
    for file in written:
        (folder / file.name).write_text(file.text)
    done = subprocess.run(["vmalert", f"-rule={folder}/*.yaml", "-dryRun"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_vmalert_takes_the_rules_of_single_slos_and_of_shards(tmp_path: Path) -> None:
    slos = [an_slo("bad", requests("shop")), an_slo("good", good_requests("shop")), an_slo("slow", latency("shop"))]
    slos += [an_slo("short", requests("shop"), "0.9", days=1, renamed_from=("longer",), labels=(("team", "a"),))]
    _vmalert_takes(tmp_path / "single", compile_rules(slos))
    _vmalert_takes(tmp_path / "shared", compile_rules(slos, CompileOptions("https://x.example.com", shared_above=0)))


def test_rules_that_vmalert_cannot_read_would_be_noticed(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(
        json.dumps({"groups": [{"name": "a", "rules": [{"record": "x", "expr": "sum("}]}]})
    )
    done = subprocess.run(["vmalert", f"-rule={tmp_path}/*.yaml", "-dryRun"], capture_output=True, check=False)
    assert done.returncode != 0
