"""The dashboard of incidents: its golden, its layout, and every query on a real Prometheus."""

import itertools
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controlplane import conventions as names
from controlplane import incident_names as ours
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.model.series import Series
from dashboards.frame import DashboardOptions
from dashboards.incidents import incident_dashboards
from dashboards.queries import DashboardQuery, Place, queries_of
from flyball.demo import servers

GOLDEN = Path(__file__).parent / "golden" / "incidents.json"
MINUTE, HISTORY = timedelta(minutes=1), timedelta(hours=1)


def text() -> str:
    (file,) = incident_dashboards(DashboardOptions(external_url="https://flyball.example/"))
    assert file.name == "incidents.json"
    return file.json_text


def test_the_golden_dashboard_of_incidents() -> None:
    if os.environ.get("FLYBALL_GOLDEN"):
        GOLDEN.write_text(text())
    assert text() == GOLDEN.read_text()


def test_panels_about_incidents_do_not_overlap_and_say_what_they_show() -> None:
    panels = json.loads(text())["panels"]
    for a, b in itertools.combinations([panel["gridPos"] for panel in panels], 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        assert beside or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"], (a, b)
    assert all(panel["title"] and panel["description"].endswith(".") for panel in panels)
    assert len({panel["title"] for panel in panels}) == len(panels)


def _recorded(now: datetime) -> Iterator[Series]:
    """What the control plane exposes while one incident is open."""

    def series(metric: str, value: float, growth: float = 0, **labels: str) -> Series:
        count = int(HISTORY / MINUTE)
        points = tuple((now - (count - 1 - i) * MINUTE, value + growth * i) for i in range(count))
        return Series({"__name__": metric, **labels}, points)

    at = now.timestamp()
    yield series(ours.INCIDENTS, 2, priority="P0", state="open")
    yield series(ours.INCIDENT_OPENED, at - 600, incident="INC-7", priority="P0", service="gateway")
    yield series(ours.ON_CALL, 1, schedule="sre", person="ann")
    yield series(names.OUTBOX_BACKLOG, 3)
    yield series(names.OUTBOX_DEAD, 0)
    yield series(ours.WATCHDOG_SEEN, at - 40)
    yield series(ours.HEARTBEAT_AT, at - 20)
    yield series(names.DELIVERIES, 0, 1, channel="pagerduty:sre", outcome="delivered")
    for bound in ("1", "5", "+Inf"):
        yield series(f"{ours.RECEIPT_SECONDS}_bucket", 0, 1, kind="pagerduty", priority="P0", le=bound)
    yield series(ours.OUTBOX_OLDEST, at - 12, channel="slack:#ops")
    yield series(ours.ACTIONS_OPEN, 2, state="open")
    yield series("ALERTS", 1, alertname=ours.ALERT_CHANNEL_DOWN, alertstate="firing", severity="page")


@pytest.fixture(scope="module")
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory, now: datetime) -> Iterator[PrometheusBackend]:
    with servers.prometheus(tmp_path_factory.mktemp("prometheus")) as server:
        with RemoteWriter(server.url) as writer:
            writer.write(list(_recorded(now)))
        yield PrometheusBackend(server.url)


def asked() -> tuple[DashboardQuery, ...]:
    return queries_of(text())


def _values(backend: PrometheusBackend, each: DashboardQuery, now: datetime) -> list[float]:
    if each.instant:
        return [sample.value for sample in backend.query(each.expr, now)]
    found = backend.query_range(each.expr, now - HISTORY, now, MINUTE)
    return [value for series in found for _, value in series.points]


def test_every_query_about_incidents_returns_data(backend: PrometheusBackend, now: datetime) -> None:
    found = asked()
    assert len(found) > 12
    assert {each.title for each in found if not _values(backend, each, now)} == set()
    assert set(_values(backend, next(each for each in found if each.title == "Open incidents"), now)) == {2.0}
    assert [each.title for each in found if each.place is Place.ANNOTATION] == ["Incidents", "Deployments"]
