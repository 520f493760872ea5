"""What the demo's tenants used, against the meters of the example."""

import json
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path

import pytest

from controlplane.adapters.files import read_folder
from controlplane.specfile import read
from exporters.usage.declared import declared
from exporters.usage.kinds import KINDS
from flyball.demo.platform.catalogue import INTELGRAPH
from flyball.demo.platform.simulation import Simulation
from flyball.demo.usage_events import Event, as_batches, usage_events

NOW = datetime(2026, 11, 30, 9, 30, tzinfo=UTC)
SEAM = int(NOW.timestamp() // 60)
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "intelgraph"


@pytest.fixture(scope="module")
def events() -> list[Event]:
    simulation = Simulation(INTELGRAPH, seed=1, start=SEAM - 1440, seam=SEAM)
    return list(usage_events(simulation, date(2026, 11, 1), NOW))


def of(events: list[Event], kind: str) -> list[Event]:
    return [event for event in events if event["type"] == f"dev.intelgraph.{kind}"]


def test_every_event_is_one_that_a_meter_of_the_example_counts(events: list[Event]) -> None:
    files, _ = read_folder(EXAMPLE / "money")
    (terms,) = declared(read(files, KINDS).documents).values
    assert {str(event["type"]) for event in events} == {meter.event_type for meter in terms.meters}
    tenants = set(chain.from_iterable(contract.tenants for contract in terms.contracts))
    assert {event["subject"] for event in events} == tenants


def test_they_are_unique_and_lie_in_their_month(events: list[Event]) -> None:
    assert len({event["id"] for event in events}) == len(events)
    times = [str(event["time"]) for event in events]
    assert min(times) >= "2026-11-01T00:00:00Z"
    assert max(times) < "2026-11-30T09:30:00Z"


def test_the_largest_tenant_has_used_most_of_its_inference_quota(events: list[Event]) -> None:
    files, _ = read_folder(EXAMPLE / "money")
    (terms,) = declared(read(files, KINDS).documents).values
    limit = next(quota.limit for quota in terms.quotas if quota.name == "inference")
    used: dict[str, int] = {}
    for event in of(events, "inference.completed"):
        used[str(event["subject"])] = used.get(str(event["subject"]), 0) + event["data"]["tokens"]["total"]  # type: ignore[index]
    assert 0.8 < used["alpha"] / float(limit) < 1
    assert used["delta"] / float(limit) < 0.5


def test_batches_hold_all_of_them_in_order(events: list[Event]) -> None:
    bodies = list(as_batches(iter(events), 700))
    assert list(chain.from_iterable(map(json.loads, bodies))) == events
    assert all(len(json.loads(body)) <= 700 for body in bodies)


def test_the_same_history_gives_the_same_events(events: list[Event]) -> None:
    simulation = Simulation(INTELGRAPH, seed=1, start=SEAM - 1440, seam=SEAM)
    assert list(usage_events(simulation, date(2026, 11, 1), NOW)) == events
