"""The dashboard of checks from outside: its golden, and every query on a real Prometheus."""

import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controlplane import check_names as names
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.model.series import Series
from dashboards.frame import DashboardOptions
from dashboards.queries import DashboardQuery, Place, queries_of
from dashboards.synthetics import check_dashboards
from flyball.demo import servers

GOLDEN = Path(__file__).parent / "golden" / "synthetics.json"
OPTIONS = DashboardOptions(external_url="https://flyball.example/")
MINUTE, HISTORY = timedelta(minutes=1), timedelta(hours=3)


def text() -> str:
    (file,) = check_dashboards(OPTIONS)
    assert file.name == "synthetics.json"
    return file.json_text


def asked(kind: str = "journey", check: str = "core-flow") -> tuple[DashboardQuery, ...]:
    return queries_of(text(), variables={"kind": kind, "check": check})


def test_the_golden_dashboard_of_checks() -> None:
    if os.environ.get("FLYBALL_GOLDEN"):
        GOLDEN.write_text(text())
    assert text() == GOLDEN.read_text()


def test_panels_about_checks_do_not_overlap_and_say_what_they_show() -> None:
    panels = json.loads(text())["panels"]
    for a, b in itertools.combinations([panel["gridPos"] for panel in panels], 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        assert beside or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"], (a, b)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)
    assert all(panel["title"] and panel["description"].endswith(".") for panel in panels)
    assert len({panel["title"] for panel in panels}) == len(panels)
    assert all(panel["fieldConfig"]["defaults"]["unit"] for panel in panels)


def test_a_data_source_may_be_fixed_and_the_console_unknown() -> None:
    (file,) = check_dashboards(replace(OPTIONS, external_url="", datasource_uid="prometheus"))
    data = json.loads(file.json_text)
    assert [each["name"] for each in data["templating"]["list"]] == ["kind", "check"]
    assert [each["title"] for each in data["links"]] == ["All SLOs"]


def _series(now: datetime, metric: str, value: float | None = None, **labels: str) -> Series:
    """A value a minute: always the same, or one that grows by 0.001, so that it is a counter as well as a gauge."""
    count = int(HISTORY / MINUTE)
    points = [(now - (count - 1 - i) * MINUTE, 0.1 + i / 1000 if value is None else value) for i in range(count)]
    return Series({"__name__": metric, **labels}, tuple(points))


def _recorded(now: datetime) -> Iterator[Series]:
    """What the control plane exposes of a probe and a journey in two regions, of paths and of a status page."""
    for kind, check in (("probe", "gateway-health"), ("journey", "core-flow")):
        key = {"kind": kind, "check": check}
        for verdict in ("up", "regional", "global", "unknown"):
            yield _series(now, names.CHECK_VERDICT, float(verdict == "regional"), **key, verdict=verdict)
        yield _series(now, names.CHECK_FLAPPING, 0, **key)
        for region, state in (("eu", "down"), ("us", "up")):
            own = {**key, "region": region}
            yield _series(now, names.CHECK_REGION_STATE, 1, **own, state=state)
            yield _series(now, names.CHECK_LAST_RUN, now.timestamp() - 20, **own)
            for outcome in ("ok", "failed", "fault"):
                yield _series(now, names.CHECK_RUNS, **own, outcome=outcome)
            for le in ("0.1", "1", "+Inf"):
                yield _series(now, f"{names.CHECK_RUN_SECONDS}_bucket", **own, le=le)
    yield _series(now, names.PROBE_HTTP_SECONDS, probe="gateway-health", region="eu", phase="connect")
    yield _series(now, names.JOURNEY_STEP_SECONDS, journey="core-flow", region="eu", step="sign in")
    yield _series(now, names.PROBE_CERTIFICATE_ENDS, now.timestamp() + 10 * 86_400, probe="gateway-tls", region="eu")
    yield _series(now, names.REGION_REPORTED, now.timestamp() - 300, region="eu")
    yield _series(now, names.REGION_BUFFERED, 3, region="eu")
    yield _series(now, names.PROBER_REPORTS, region="eu", outcome="taken")
    yield _series(now, names.GOLDEN_PATH_GAPS, 1, golden_path="core-flow", gap="not-run")
    yield _series(now, names.UNCOVERED_ROUTES, 1)
    yield _series(now, names.PATH_DISAGREES, 1, golden_path="core-flow", kind="coverage_hole")
    page = {"status_page": "public"}
    yield _series(now, names.STATUS_COMPONENT, 1, **page, component="api", status="partial_outage")
    yield _series(now, names.STATUS_UPTIME, 0.999, **page, component="api")
    yield _series(now, names.STATUS_INCIDENTS, 1, **page)
    yield _series(now, names.STATUS_DRAFTS, 2, **page)
    yield _series(now, names.STATUS_UPDATE_OVERDUE, 60, **page, incident="i1")
    yield _series(now, names.STATUS_PUBLISHED, now.timestamp() - 30, **page)


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
    """What it answers; a query that Prometheus refuses raises."""
    if each.instant:
        return [sample.value for sample in backend.query(each.expr, now)]
    found = backend.query_range(each.expr, now - timedelta(hours=2), now, MINUTE)
    return [value for series in found for _, value in series.points]


@pytest.mark.parametrize(("kind", "check", "others"), [
    ("journey", "core-flow", {"Phases of the HTTP probe"}), ("probe", "gateway-health", {"Steps of the journey"}),
])  # fmt: skip
def test_every_query_about_checks_returns_data(
    backend: PrometheusBackend, now: datetime, kind: str, check: str, others: set[str]
) -> None:
    found = asked(kind, check)
    assert len(found) > 35
    assert {each.title for each in found if not _values(backend, each, now)} == others


def test_what_stands_is_shown_as_the_number_of_its_word(backend: PrometheusBackend, now: datetime) -> None:
    def value(title: str, number: int = 0) -> set[float]:
        return set(_values(backend, [each for each in asked() if each.title == title][number], now))

    assert value("All checks, the worst first") == {2.0}  # regional
    assert value("All checks, the worst first", 1) == {1.0}  # a region down, of each
    assert value("$check by region") == {1.0, 3.0}  # us up, eu down
    assert value("What status pages say") == {3.0}
    assert value("Silent regions") == {1.0}
    assert value("Down in a region") == {2.0}
    assert value("Down everywhere") == {0.0}


def test_queries_about_checks_parse_without_any_data_and_nothing_is_made_up(tmp_path: Path, now: datetime) -> None:
    with servers.prometheus(tmp_path) as server:
        empty = PrometheusBackend(server.url)
        answered = {each.title for each in asked() if _values(empty, each, now)}
    assert answered == {
        "Pages", "Deployments", "Reduced on purpose", "Tickets", "Checks", "Down everywhere", "Down in a region",
        "Flapping", "Not known", "Silent regions",
        "Gaps in golden paths",
    }  # fmt: skip
    assert [each.title for each in asked() if each.place is Place.ANNOTATION] == [
        "Pages",
        "Deployments",
        "Reduced on purpose",
    ]


def test_the_way_from_a_slow_run_leads_to_its_trace() -> None:
    assert {each.title for each in asked() if each.exemplar} == {"How long $check takes"}
