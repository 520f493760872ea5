"""The dashboard of deliveries: its golden, its layout, and every query on a real Prometheus."""

import itertools
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controlplane import delivery_names as ours
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.model.series import Series
from dashboards.delivery import delivery_dashboards
from dashboards.frame import DashboardOptions
from dashboards.queries import DashboardQuery, queries_of
from flyball.demo import servers

GOLDEN = Path(__file__).parent / "golden" / "delivery.json"
MINUTE, HISTORY = timedelta(minutes=1), timedelta(hours=1)


def text() -> str:
    (file,) = delivery_dashboards(DashboardOptions(external_url="https://flyball.example/"))
    assert file.name == "delivery.json"
    return file.json_text


def test_the_golden_dashboard_of_deliveries() -> None:
    if os.environ.get("FLYBALL_GOLDEN"):
        GOLDEN.write_text(text())
    assert text() == GOLDEN.read_text()


def test_panels_about_deliveries_do_not_overlap_and_say_what_they_show() -> None:
    panels = json.loads(text())["panels"]
    for a, b in itertools.combinations([panel["gridPos"] for panel in panels], 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        assert beside or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"], (a, b)
    assert all(panel["title"] and panel["description"].endswith(".") for panel in panels)
    assert len({panel["title"] for panel in panels}) == len(panels)


def _recorded(now: datetime) -> Iterator[Series]:
    """What the control plane exposes of one service a minute after it was deployed."""

    def series(name: str, value: float, growth: float = 0, **labels: str) -> Series:
        count = int(HISTORY / MINUTE)
        points = tuple((now - (count - 1 - i) * MINUTE, value + growth * i) for i in range(count))
        return Series({"__name__": name, **labels}, points)

    of = {"service": "checkout", "team": "shop", "environment": "production"}
    window = of | {"window": "30d"}
    at = now.timestamp()
    yield series(ours.DEPLOYMENT_INFO, 1, **of, version="1.4.2")
    yield series(ours.LAST_DEPLOYMENT, at - 60, **of)
    yield series(ours.LEAD_TIME_QUANTILE, 7200, **window, quantile="0.5")
    yield series(ours.STAGE_MEDIAN, 3600, **window, stage="review")
    yield series(ours.DEPLOYMENTS_PER_DAY, 0.5, **window)
    yield series(ours.RECOVERY_QUANTILE, 1800, **window, quantile="0.5")
    yield series(ours.RESTORE_MEAN, 2400, **window)
    yield series(ours.CHANGE_FAIL_RATIO, 0.1, **window)
    yield series(ours.REWORK_RATIO, 0.05, **window)
    yield series(ours.SAMPLES, 12, **window, metric="change_lead_time")
    yield series(ours.DEPLOYMENTS, 3, 1, **of)
    for bound in ("3600", "86400", "+Inf"):
        yield series(f"{ours.LEAD_TIME}_bucket", 0, 1, **of, le=bound)
    yield series(ours.EFFECT_BUDGET, 0.02, **of, version="1.4.2", slo="checkout-availability")
    yield series(ours.EFFECT_UNIT_COST, 0.1, **of, version="1.4.2", unit_cost="calls")
    yield series(ours.EVENTS, 0, 1, sender="github", outcome="accepted", type="dev.cdevents.service.deployed")
    yield series(ours.EVENTS_BEHIND, 4)
    yield series(ours.SHEETS_STALE, 1)


@pytest.fixture(scope="module")
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory, now: datetime) -> Iterator[PrometheusBackend]:
    with servers.prometheus(tmp_path_factory.mktemp("prometheus")) as server:
        with RemoteWriter(server.url) as writer:
            writer.write(list(_recorded(now)))
        yield PrometheusBackend(server.url)


PICKED = {"environment": "production", "service": "checkout|search", "window": "30d"}


def _values(backend: PrometheusBackend, each: DashboardQuery, now: datetime) -> list[float]:
    if each.instant:
        return [sample.value for sample in backend.query(each.expr, now)]
    found = backend.query_range(each.expr, now - HISTORY, now, MINUTE)
    return [value for series in found for _, value in series.points]


def test_every_query_about_deliveries_returns_data(backend: PrometheusBackend, now: datetime) -> None:
    found = queries_of(text(), variables=PICKED)
    assert len(found) > 15
    assert {each.title for each in found if not _values(backend, each, now)} == set()
    assert set(_values(backend, next(each for each in found if each.title == "Change lead time"), now)) == {7200.0}


def test_a_deployment_is_marked_with_its_version_for_five_minutes(backend: PrometheusBackend, now: datetime) -> None:
    (expr,) = [each.expr for each in queries_of(text(), variables=PICKED) if each.title == "Deployments"]
    marked = [sample for sample in backend.query(expr, now) if sample.labels]
    assert [(each.labels["version"], each.value > 0) for each in marked] == [("1.4.2", True)]
    later = backend.query(expr, now + 4 * MINUTE + timedelta(seconds=1))
    assert [sample.value for sample in later if sample.value > 0] == []
