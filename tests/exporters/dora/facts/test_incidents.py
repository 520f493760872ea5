"""An incident from several statements about it."""

import dataclasses
from datetime import datetime, timedelta, timezone

import pytest

from controlplane.model.delivery import DeliveryEvent, DeliveryIncident
from exporters.dora.facts.folding import fold
from exporters.dora.policy.model import DeliveryPolicy
from tests.exporters.dora.facts.telling import AT, MINUTE, event, incident

POLICY = DeliveryPolicy(production=("live", "eu"), environments={}, services={"checkout-svc": "checkout"})


def folded(*events: DeliveryEvent) -> DeliveryIncident:
    found = fold("incident:/pd#i1", events, POLICY)
    assert isinstance(found, DeliveryIncident)
    return found


def test_one_event_is_an_incident() -> None:
    said = incident(
        service="checkout-svc",
        environment="Live",
        name="INC-7",
        title="Checkout slow",
        priority="P1",
        deployment="1.4.2",
        url="https://pd/1",
    )
    assert folded(said) == DeliveryIncident(
        id="/pd#i1", service="checkout", environment="live", started_at=AT, deployment="1.4.2", name="INC-7",
        title="Checkout slow", priority="P1", url="https://pd/1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "start", "end"),
    [
        ("detected@3 reported@1", 1, None),
        ("detected@3 resolved@9", 3, 9),
        ("detected@3 resolved@9 resolved@12", 3, 12),
        ("detected@3 resolved@9 detected@11", 3, None),
        ("detected@3 resolved@9 detected@11 resolved@15", 3, 15),
        ("detected@3 resolved@9 reported@11", 3, 9),
        ("resolved@2 detected@3", 3, 2),
        ("detected@3 resolved@3", 3, 3),
    ],
)
def test_it_goes_on_from_the_first_word_to_the_last(said: str, start: int, end: int | None) -> None:
    events = [incident(predicate=word.partition("@")[0], minutes=int(word.partition("@")[2])) for word in said.split()]
    found = folded(*events)
    assert found.started_at == AT + start * MINUTE
    assert found.resolved_at == (None if end is None else AT + end * MINUTE)


def test_a_start_that_is_told_counts_when_it_is_earlier_and_even_when_only_the_end_was_seen() -> None:
    early = (AT - 8 * MINUTE).isoformat()
    assert folded(incident(startedAt=early)).started_at == AT - 8 * MINUTE
    assert folded(incident(predicate="resolved", startedAt=early)).started_at == AT - 8 * MINUTE
    assert fold("incident:/pd#i1", [incident(predicate="resolved")], POLICY) is None


def test_without_an_environment_it_is_of_production_and_without_a_service_of_none() -> None:
    found = folded(event("incident:/pd#i1", "detected", content={"environment": 7}))
    assert (found.environment, found.service) == ("live", "")


@pytest.mark.parametrize(
    ("own", "is_counted"),
    [
        ({}, True), ({"priority": "p2"}, True), ({"priority": "P3"}, False), ({"counted": False}, False),
        ({"counted": "no"}, True), ({"counted": True, "priority": "P4"}, False),
    ],
)  # fmt: skip
def test_drills_and_lesser_priorities_do_not_count(own: dict[str, object], is_counted: bool) -> None:
    assert folded(incident(**own)).is_counted is is_counted  # type: ignore[arg-type]


def test_its_title_is_not_that_of_its_end_and_a_ticket_is_its_address() -> None:
    reported = event("incident:/pd#i1", "reported", content={"ticketURI": "https://t/1", "description": "slow " * 200})
    found = folded(reported, event("incident:/pd#i1", "resolved", AT + MINUTE, content={"description": "well again"}))
    assert found.title.startswith("slow slow")
    assert found.title.endswith("…")
    assert len(found.title) == 300
    assert found.url == "https://t/1"


@pytest.mark.parametrize("year", ["0001", "1989", "2200", "9999"])
def test_times_that_cannot_be_are_as_if_unsaid(year: str) -> None:
    told = incident(predicate="resolved", startedAt=f"{year}-06-01T00:00:00Z")
    assert fold("incident:/pd#i1", [told], POLICY) is None
    odd = dataclasses.replace(incident(), time=datetime(int(year), 6, 1, tzinfo=timezone(timedelta(hours=9))))
    assert fold("incident:/pd#i1", [odd], POLICY) is None
