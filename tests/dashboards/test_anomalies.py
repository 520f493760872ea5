"""The dashboard of anomalies: its golden, its layout, its choices, and every query on a real Prometheus."""

import itertools
import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from controlplane import anomaly_names as ours
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.model.series import Series
from dashboards.anomalies import MATCHERS, anomaly_dashboards
from dashboards.frame import DashboardOptions
from dashboards.queries import DashboardQuery, Place, queries_of
from flyball.demo import servers

GOLDEN = Path(__file__).parent / "golden" / "anomalies.json"
MINUTE, HISTORY = timedelta(minutes=1), timedelta(hours=1)
PICKED = {"detector": "traffic", "series": 'detector="traffic",service="a"'}


def text() -> str:
    (file,) = anomaly_dashboards(DashboardOptions(external_url="https://flyball.example/"))
    assert file.name == "anomalies.json"
    return file.json_text


def panel(title: str) -> dict[str, Any]:
    return next(each for each in json.loads(text())["panels"] if each["title"] == title)


def test_the_golden_dashboard_of_anomalies() -> None:
    if os.environ.get("FLYBALL_GOLDEN"):
        GOLDEN.write_text(text())
    assert text() == GOLDEN.read_text()


def test_panels_about_anomalies_do_not_overlap_and_say_what_they_show() -> None:
    panels = json.loads(text())["panels"]
    for a, b in itertools.combinations([panel["gridPos"] for panel in panels], 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        assert beside or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"], (a, b)
    assert all(panel["title"] and panel["description"].endswith(".") for panel in panels)
    assert len({panel["title"] for panel in panels}) == len(panels)


def test_the_band_is_filled_from_its_upper_to_its_lower_edge_and_points_stand_out() -> None:
    looks = {
        each["matcher"]["options"]: {one["id"]: one["value"] for one in each["properties"]}
        for each in panel("Value and what is usual")["fieldConfig"]["overrides"]
    }
    drawn = {target["legendFormat"] for target in panel("Value and what is usual")["targets"]}
    assert looks.keys() == drawn
    assert looks["usual, most"]["custom.fillBelowTo"] == "usual, least"
    assert looks["unusual"]["custom.drawStyle"] == "points"


@pytest.mark.parametrize(
    ("shown", "picked"),
    [
        ('{detector="traffic",service="a"} 2.5 1700000000000', 'detector="traffic",service="a"'),
        ('{detector="t",path="/a{b} 1"} 2 1', 'detector="t",path="/a{b} 1"'),
        ('{detector="t",path="a"b"} 2 1', None),
        ('{detector="t",path="x"} or up{a="b"} 2 1', None),
        (r'{detector="t",path="C:\d"} 2 1', None),
    ],
)
def test_only_what_means_itself_in_a_query_can_be_picked(shown: str, picked: str | None) -> None:
    match = re.search(MATCHERS.strip("/"), shown)
    assert (match[1] if match else None) == picked


def _recorded(now: datetime) -> Iterator[Series]:
    """What the control plane exposes of a detector with two series, one of which is anomalous."""

    def series(metric: str, value: float, growth: float = 0, **labels: str) -> Series:
        count = int(HISTORY / MINUTE)
        points = tuple((now - (count - 1 - i) * MINUTE, value + growth * i) for i in range(count))
        return Series({"__name__": metric, "detector": "traffic", **labels}, points)

    scrape = {"instance": "10.0.0.7:9100", "job": "flyball"}
    for service, score in (("a", 2.5), ("b", 0.4)):
        of = {"service": service, **scrape}
        for metric, value in (
            (ours.SCORE, score), (ours.SUSTAINED_SCORE, score / 2), (ours.VALUE, 100 * score), (ours.EXPECTED, 100),
            (ours.LOWER, 60), (ours.UPPER, 140), (ours.MATURITY, 3), (ours.HISTORY, 86_400), (ours.COVERAGE, 0.9),
            (ours.GAP, 0),
        ):  # fmt: skip
            yield series(metric, value, **of)
        yield series(ours.OPEN, float(score > 1), output="point", **of)
        yield series(ours.CHOSEN_BASELINE, 1, baseline="weekly", **of)
    at = now.timestamp()
    yield series(ours.SCORED_AT, at - 300, **scrape)
    yield series(ours.FITTED_AT, at - 900, **scrape)
    yield series(ours.SERIES, 2, state="scored", **scrape)
    yield series(ours.SAMPLES, 0, 2, outcome="new", **scrape)
    yield series(ours.FAILING, 0, **scrape)
    yield series(f"{ours.CYCLE_SECONDS}_sum", 0, 0.5, phase="read", **scrape)
    yield series(f"{ours.CYCLE_SECONDS}_count", 0, 1, phase="read", **scrape)
    yield series(ours.REBUILT, 0, 1, reason="version", **scrape)
    above = {"detector": "spend", "service": "a", **scrape}
    for metric, value in ((ours.EXPECTED, 100), (ours.LOWER, float("-inf")), (ours.UPPER, 140)):
        yield series(metric, value, **above)
    yield series("ALERTS", 1, alertname=ours.ALERT_ANOMALY, alertstate="firing", severity="page", service="a")


@pytest.fixture(scope="module")
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory, now: datetime) -> Iterator[PrometheusBackend]:
    with servers.prometheus(tmp_path_factory.mktemp("prometheus")) as server:
        with RemoteWriter(server.url) as writer:
            writer.write(list(_recorded(now)))
        yield PrometheusBackend(server.url)


def _values(backend: PrometheusBackend, each: DashboardQuery, now: datetime) -> list[float]:
    if each.instant:
        return [sample.value for sample in backend.query(each.expr, now)]
    found = backend.query_range(each.expr, now - HISTORY, now, MINUTE)
    return [value for series in found for _, value in series.points]


def test_every_query_about_anomalies_returns_data(backend: PrometheusBackend, now: datetime) -> None:
    found = queries_of(text(), variables=PICKED)
    assert len(found) > 25
    assert {each.title for each in found if not _values(backend, each, now)} == set()
    said = {each.title: _values(backend, each, now) for each in found if each.instant}
    assert said["Open anomalies"] == [1.0]
    assert said["Open anomalies of all detectors"] == [2.5]
    assert said["Most unusual now"] == [2.5, 0.4]
    assert [each.title for each in found if each.place is Place.ANNOTATION] == [
        "Anomalies", "Deployments", "Reduced on purpose",
    ]  # fmt: skip


def test_an_edge_of_a_direction_that_does_not_count_is_drawn_where_the_value_was_expected(
    backend: PrometheusBackend, now: datetime
) -> None:
    asked = queries_of(text(), variables={"detector": "spend", "series": 'detector="spend",service="a"'})
    drawn = [each.expr for each in asked if each.title == "Value and what is usual"]
    assert [{sample.value for sample in backend.query(expr, now)} for expr in drawn[1:4]] == [{100}, {100}, {140}]


def test_the_most_unusual_series_is_the_first_to_pick_whoever_leads(backend: PrometheusBackend, now: datetime) -> None:
    (choices,) = [each.expr for each in queries_of(text(), variables=PICKED) if each.title == "series"]
    assert [dict(sample.labels) for sample in backend.query(choices, now)] == [
        {"detector": "traffic", "service": "a"},
        {"detector": "traffic", "service": "b"},
    ]


def test_while_nothing_is_open_zero_is_said_and_without_the_detector_nothing(
    backend: PrometheusBackend, now: datetime
) -> None:
    for detector, open_now in (("traffic", [1.0]), ("other", [])):
        asked = queries_of(text(), variables=PICKED | {"detector": detector})
        (expr,) = [each.expr for each in asked if each.title == "Open anomalies"]
        assert [each.value for each in backend.query(expr, now)] == open_now
