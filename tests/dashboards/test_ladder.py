"""The dashboard of downshift ladders: its golden, its layout, and every query on a real Prometheus."""

import itertools
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controlplane import conventions as names
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.model.series import Series
from dashboards.frame import DashboardOptions
from dashboards.ladder import ladder_dashboards
from dashboards.queries import DashboardQuery, Place, queries_of
from flyball.demo import servers

GOLDEN = Path(__file__).parent / "golden" / "ladder.json"
MINUTE, HISTORY = timedelta(minutes=1), timedelta(hours=1)


def text() -> str:
    (file,) = ladder_dashboards(DashboardOptions(external_url="https://flyball.example/"))
    assert file.name == "ladder.json"
    return file.json_text


def test_the_golden_dashboard_of_ladders() -> None:
    if os.environ.get("FLYBALL_GOLDEN"):
        GOLDEN.write_text(text())
    assert text() == GOLDEN.read_text()


def test_panels_about_ladders_do_not_overlap_and_say_what_they_show() -> None:
    panels = json.loads(text())["panels"]
    for a, b in itertools.combinations([panel["gridPos"] for panel in panels], 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        assert beside or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"], (a, b)
    assert all(panel["title"] and panel["description"].endswith(".") for panel in panels)
    assert len({panel["title"] for panel in panels}) == len(panels)


def _recorded(now: datetime) -> Iterator[Series]:
    """What the control plane exposes of one ladder at tier 2."""
    ladder = {"ladder": "intelgraph"}

    def series(metric: str, value: float, **labels: str) -> Series:
        count = int(HISTORY / MINUTE)
        points = tuple((now - (count - 1 - i) * MINUTE, value) for i in range(count))
        return Series({"__name__": metric, **ladder, **labels}, points)

    yield series(names.LADDER_TIER, 2)
    yield series(names.LADDER_SHADOW_TIER, 3)
    yield series(names.LADDER_INFO, 1, mode="enforce", flag_store="platform")
    yield series(names.LADDER_SAMPLED_AT, now.timestamp() - 20)
    yield series(names.LADDER_ASKS, 1, tier="3")
    yield series(names.LADDER_THEIRS, 1)
    yield series(names.LADDER_KILLED, 0)
    yield series(names.LADDER_SAVED, 12.5, tier="2", currency="USD")
    yield series(names.LADDER_SIGNAL, 3.1, signal="llm-burn")
    yield series(names.LADDER_SIGNAL_GOOD, 1, signal="llm-burn")
    yield series(names.LADDER_HELD, 1, reason="needs-approval")
    yield series(names.LADDER_SAVING, 4.2, tier="2", currency="USD", of="predicted")
    yield series(names.LADDER_STEPS, 7, outcome="committed")
    yield series(names.LADDER_EXPIRES_AT, now.timestamp() + 7200, tier="2")
    yield series("ALERTS", 1, alertname=names.ALERT_LADDER_STEP_FAILED, alertstate="firing", severity="page")


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
    return queries_of(text(), variables={"ladder": "intelgraph"})


def _values(backend: PrometheusBackend, each: DashboardQuery, now: datetime) -> list[float]:
    if each.instant:
        return [sample.value for sample in backend.query(each.expr, now)]
    found = backend.query_range(each.expr, now - HISTORY, now, MINUTE)
    return [value for series in found for _, value in series.points]


def test_every_query_about_ladders_returns_data(backend: PrometheusBackend, now: datetime) -> None:
    found = asked()
    assert len(found) > 15
    assert {each.title for each in found if not _values(backend, each, now)} == set()
    assert set(_values(backend, next(each for each in found if each.title == "Tier in force"), now)) == {2.0}
    assert [each.title for each in found if each.place is Place.ANNOTATION] == ["Pages", "Deployments"]
