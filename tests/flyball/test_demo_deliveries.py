"""What the demo's pipeline tells: a month of deliveries, and the bad release when it goes out and comes back."""

import shutil
import subprocess
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from controlplane.ports import Transient
from flyball.cli.dora.opening import policy_or_exit
from flyball.demo.deliveries.past import incident_id, past_events
from flyball.demo.deliveries.releasing import SERVICE, VERSION, Pipeline
from flyball.demo.deliveries.repository import DECLARED_URL, NAME, put_repository
from flyball.demo.deliveries.routine import EVERY, SERVICES, Routine, running_versions
from flyball.demo.deliveries.telling import CDEvent
from flyball.demo.folder import DemoFolder
from flyball.demo.pace import quicken
from flyball.demo.platform.catalogue import INTELGRAPH
from flyball.demo.run import example_workspace

SEAM = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()) // 60
NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


def month() -> list[CDEvent]:
    return list(past_events(INTELGRAPH, SEAM, SEAM - 30 * 1440, 1))


def own(event: CDEvent) -> dict[str, Any]:
    data: Any = event["customData"]
    found: dict[str, Any] = data["flyball"]
    return found


def kind(event: CDEvent) -> str:
    context: Any = event["context"]
    return ".".join(context["type"].split(".")[2:4])


def test_the_same_month_is_told_in_the_same_words() -> None:
    assert month() == month()
    ids: list[Any] = [event["context"] for event in month()]
    assert len({each["id"] for each in ids}) == len(ids)


def test_every_deployment_and_incident_of_the_catalogue_is_told_of() -> None:
    counted = Counter(map(kind, month()))
    assert counted["service.deployed"] + counted["service.rolledback"] == len(INTELGRAPH.deployments)
    assert counted["incident.detected"] == counted["incident.resolved"] == len(INTELGRAPH.incidents)
    assert counted["service.rolledback"] == 1


def test_a_deployment_names_changes_that_were_merged_before_it() -> None:
    events = month()
    numbers: Any = {event["subject"]["id"]: event for event in events if kind(event) == "change.merged"}  # type: ignore[index]
    named = 0
    for event in events:
        context: Any = event["context"]
        for name in own(event).get("changes", ()):
            change = numbers[name.rpartition("#")[2]]
            assert change["context"]["timestamp"] <= context["timestamp"]
            assert own(change)["firstCommitAt"] <= own(change)["openedAt"] <= change["context"]["timestamp"]
            named += 1
    assert named == len(numbers) > 20


def test_what_mends_an_incident_names_it() -> None:
    remedies = {own(event)["remedies"] for event in month() if "remedies" in own(event)}
    assert remedies == {incident_id(11), incident_id(12)}


def test_a_short_history_tells_of_its_own_days_only() -> None:
    short = list(past_events(INTELGRAPH, SEAM, SEAM - 3 * 1440, 1))
    assert {kind(event) for event in short} == {"change.merged", "service.deployed"}


class Line:
    """Where the pipeline tells; it may be down."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.is_down = False

    def send(self, events: list[CDEvent]) -> None:
        if self.is_down:
            raise Transient("away")
        self.told += [f"{kind(event)} {own(event).get('version', '')}".strip() for event in events]


def test_the_bad_release_is_told_once_and_so_is_the_way_back() -> None:
    line = Line()
    pipeline = Pipeline(line.send)
    for minute, since in enumerate((None, NOW, NOW, None, None)):
        pipeline.look(since, NOW + timedelta(minutes=minute))
    assert line.told == ["change.merged", f"service.deployed {VERSION}", "service.rolledback 2.16.1"]
    assert SERVICE == "graphql-gateway"


def test_what_did_not_arrive_is_told_again() -> None:
    line = Line()
    pipeline = Pipeline(line.send)
    line.is_down = True
    with pytest.raises(Transient):
        pipeline.look(NOW, NOW)
    line.is_down = False
    pipeline.look(NOW, NOW)
    assert line.told == ["change.merged", f"service.deployed {VERSION}"]


def test_everyday_releases_go_on_one_service_after_the_other_and_none_is_lost() -> None:
    line = Line()
    routine = Routine(line.send, running_versions(INTELGRAPH), NOW)
    routine.look(NOW)
    assert line.told == []
    line.is_down = True
    with pytest.raises(Transient):
        routine.look(NOW + EVERY)
    line.is_down = False
    for minute in range(30):
        routine.look(NOW + EVERY + timedelta(minutes=minute))
    deployed = [each.removeprefix("service.deployed ") for each in line.told if each.startswith("service")]
    assert deployed == ["1.4.3", "0.9.7", "0.69.1", "0.7.2", "1.4.4", "0.9.8", "0.69.2"]


def test_no_fault_of_the_demo_touches_a_service_that_is_released_every_day() -> None:
    """Or its incident would be held against a release that did no harm."""
    touched = {effect.flow for fault in INTELGRAPH.faults for effect in fault.effects}
    services = {flow.service for flow in INTELGRAPH.flows if flow.name in touched}
    assert not services & set(SERVICES)


def test_in_the_demo_nobody_waits_an_hour_for_what_a_release_did(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path)
    shutil.copytree(example_workspace(), folder.workspace)
    quicken(folder)
    policy = policy_or_exit(folder.workspace)
    assert (policy.effects.window, policy.effects.settle) == (timedelta(minutes=15), timedelta(minutes=2))
    assert policy.teams == policy_or_exit(example_workspace()).teams


def test_the_connectors_repository_has_releases_in_order_and_is_named_in_the_workspace(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path)
    declared = folder.workspace / "delivery" / "repositories.yaml"
    declared.parent.mkdir(parents=True)
    shutil.copy(example_workspace() / "delivery" / "repositories.yaml", declared)
    assert DECLARED_URL in declared.read_text()
    put_repository(folder, NOW)
    path = tmp_path / NAME
    assert DECLARED_URL not in declared.read_text()
    assert path.as_uri() in declared.read_text()
    listing = [
        "git",
        "--git-dir",
        str(path),
        "for-each-ref",
        "--sort=taggerdate",
        "--format=%(refname:short)",
        "refs/tags",
    ]
    tags = subprocess.run(listing, check=True, capture_output=True, text=True).stdout.split()
    assert (len(tags), tags[0], tags[-1]) == (22, "v1.3.0", "v1.4.0")
