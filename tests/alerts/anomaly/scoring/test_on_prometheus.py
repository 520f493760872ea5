"""From samples in a real Prometheus to an episode, and to metrics that Prometheus reads."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from controlplane import anomaly_names as names
from controlplane.adapters.prometheus_matrix import PrometheusMatrix
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.model.series import Series
from controlplane.store import SqlStore
from flyball.demo import servers
from tests.alerts.anomaly.scoring.running import Running, kept
from tests.alerts.anomaly.scoring.worlds import PER_DAY, STEP, detector, moment, seasonal

NOW = 16 * PER_DAY


def test_a_spike_in_prometheus_is_an_episode_and_metrics(store: SqlStore, tmp_path: Path) -> None:
    world = seasonal(services=3, days=17)
    world.values[1, NOW + 2 : NOW + 6] *= 6
    with servers.prometheus(tmp_path / "prometheus") as server:
        with RemoteWriter(server.url) as writer:
            writer.write(
                [
                    Series({"__name__": "traffic", **labels}, tuple(zip(_times(), row.tolist(), strict=True)))
                    for labels, row in zip(world.labels, world.values, strict=True)
                ]
            )
        source = PrometheusMatrix(server.url)
        query = "sum by (service, job) (traffic)"
        running = Running(store, source, [detector(query=query)])  # type: ignore[arg-type]
        running.through(NOW, NOW + 5)
        Running(store, source, [detector(query=query)]).through(NOW + 5, NOW + 10)  # type: ignore[arg-type]
        said = httpx.get(f"{server.url}/api/v1/query", params={"query": "count(traffic)"}).json()
    assert said["status"] == "success"
    episodes, events = kept(store)
    assert [(episode.series, episode.kind) for episode in episodes] == [('{service="s1"}', "point")]
    assert episodes[0].started_at == moment(NOW + 2) - timedelta(seconds=60)
    assert {event.kind for event in events} == {names.EVENT_STARTED, names.EVENT_ENDED}
    assert len(running.lines("anomaly_score{")) == 3


def _times() -> list[datetime]:
    first = moment(0) - timedelta(seconds=60)
    return [(first + number * STEP).astimezone(UTC) for number in range(17 * PER_DAY)]
