"""The past of the demo's status page: nothing that did not happen, no gap, every text told in order."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from controlplane.model.public_status import ComponentStatus, Impact, IncidentStatus
from controlplane.model.source import SourcePosition
from controlplane.model.status_record import ComponentSpan, UpdateState
from controlplane.ports import Store
from controlplane.store import migrate, open_store
from flyball.demo.folder import DemoFolder
from flyball.demo.platform.catalogue import INTELGRAPH
from flyball.demo.platform.simulation import Simulation
from flyball.demo.public_stories import STORIES, TOLD_BY
from flyball.demo.run import example_workspace
from flyball.demo.status_past import fill, status_pages
from synthetics.status_page.model import Component, Sources, StatusPage

SEAM = 29_900_000
DAY = 1440
END = datetime.fromtimestamp(60 * SEAM, UTC)
MINUTE = timedelta(minutes=1)
PAGE = StatusPage(
    name="intelgraph",
    title="IntelGraph",
    url="https://status.intelgraph.example",
    time_zone="UTC",
    components=(
        Component("api", "API", sources=Sources(slos=("graphql-gateway-availability",))),
        Component(
            "queries", "Queries", sources=Sources(slos=("graphql-gateway-read-latency", "neo4j-one-hop-latency"))
        ),
        Component("sign-in", "Sign-in", sources=Sources(probes=("sign-in-page",))),
        Component("website", "Website"),
    ),
    source=SourcePosition("status-page.yaml", 1, 1),
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    url = f"sqlite:///{tmp_path / 'flyball.db'}"
    migrate(url)
    return open_store(url)


def filled(store: Store, days: int = 30) -> dict[str, list[ComponentSpan]]:
    simulation = Simulation(INTELGRAPH, seed=1, start=SEAM - days * DAY, seam=SEAM)
    fill(store, [PAGE], simulation, INTELGRAPH)
    with store.transaction(read_only=True) as transaction:
        spans = transaction.status.spans(PAGE.name, END - timedelta(days=90), END)
    return {one.id: [span for span in spans if span.component == one.id] for one in PAGE.components}


def test_every_component_is_known_all_along_and_nothing_is_made_up_of_the_days_before(store: Store) -> None:
    for spans in filled(store).values():
        assert spans[0].start == END - timedelta(days=30)
        assert spans[-1].end == END
        assert all(one.end == other.start for one, other in pairwise(spans))


def test_components_suffer_from_what_they_are_made_from(store: Store) -> None:
    spans = filled(store)
    worst = {name: {span.status for span in of_one} for name, of_one in spans.items()}
    assert worst["website"] == {ComponentStatus.OPERATIONAL}
    assert worst["api"] == {ComponentStatus.OPERATIONAL, ComponentStatus.DEGRADED, ComponentStatus.PARTIAL}
    first = next(span for span in spans["api"] if span.status is not ComponentStatus.OPERATIONAL)
    assert first.start == END - timedelta(days=27.6)
    assert first.end - first.start == 42 * MINUTE


def test_what_was_told_is_over_and_was_told_in_order(store: Store) -> None:
    filled(store)
    with store.transaction(read_only=True) as transaction:
        incidents = transaction.status.incidents(PAGE.name)
        updates = transaction.status.updates(PAGE.name, [it.id for it in incidents])
        waiting = transaction.status.waiting(PAGE.name)
    assert {it.name for it in incidents} >= {"Slow queries", "Errors after a gateway release"}
    assert {it.status for it in incidents} == {IncidentStatus.RESOLVED}
    assert Impact.NONE not in {it.impact for it in incidents}
    assert waiting == []
    for incident in incidents:
        told = [it for it in updates if it.incident == incident.id]
        assert [it.status.value for it in told] == ["investigating", "identified", "monitoring", "resolved"]
        assert {it.state for it in told} == {UpdateState.PUBLISHED}
        moments = [it.published_at for it in told if it.published_at]
        assert moments == sorted(moments)
        assert incident.started_at < moments[0] < moments[-1] == incident.resolved_at
        assert told[0].affected
        assert {it.id for it in told[0].affected} == set(incident.component_ids)


def test_a_short_history_tells_only_of_its_own_time(store: Store) -> None:
    spans = filled(store, days=2)
    assert {len(of_one) for of_one in spans.values()} == {1}
    with store.transaction(read_only=True) as transaction:
        assert transaction.status.incidents(PAGE.name) == []


def test_every_story_is_of_an_incident_and_every_flow_of_the_platform() -> None:
    assert STORIES.keys() <= {incident.days_ago for incident in INTELGRAPH.incidents}
    assert TOLD_BY.keys() <= {flow.name for flow in INTELGRAPH.flows}


def test_the_example_declares_a_page_that_has_a_past(store: Store, tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path)
    folder.workspace.symlink_to(example_workspace())
    (page,) = status_pages(folder)
    fill(store, [page], Simulation(INTELGRAPH, seed=1, start=SEAM - 30 * DAY, seam=SEAM), INTELGRAPH)
    with store.transaction(read_only=True) as transaction:
        assert len(transaction.status.incidents(page.name)) >= 5
