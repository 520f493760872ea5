"""Incidents as PagerDuty and Alertmanager tell of them."""

import pytest

from exporters.cloudevents.faults import Malformed
from tests.exporters.events.translating.payloads import (
    ALERTS,
    OURS,
    PAGERDUTY,
    Json,
    alert,
    changed,
    content,
    own,
    short,
    taken,
    told,
)


def pagerduty(kind: str = "incident.triggered", **data: object) -> list[Json]:
    event = PAGERDUTY["event"]
    return told("pagerduty", {"event": event | {"event_type": kind, "data": event["data"] | data}})


def test_an_incident_begins_when_it_is_triggered_and_ends_when_it_is_resolved() -> None:
    [event] = pagerduty()
    assert (short(event), event["subject"], event["source"]) == ("incident.detected", "PGR0VU2", "/pagerduty")
    assert content(event) == {"environment": {"id": "production"}, "service": {"id": "checkout"}}
    assert own(event) == {
        "name": "#2", "title": "Checkout refuses cards", "priority": "P1", "startedAt": "2026-11-20T10:10:22Z",
        "url": "https://acme.pagerduty.com/incidents/PGR0VU2",
    }  # fmt: skip
    [over] = pagerduty("incident.resolved")
    assert (short(over), taken(over).entity) == ("incident.resolved", taken(event).entity)


@pytest.mark.parametrize(
    "kind", ["incident.acknowledged", "incident.annotated", "incident.responder.added", "service.updated", "pagey.ping"]
)
def test_who_has_it_in_hand_does_not_matter(kind: str) -> None:
    assert pagerduty(kind) == []


@pytest.mark.parametrize("kind", ["incident.priority_updated", "incident.service_updated"])
def test_what_changes_is_news_and_reopens_nothing(kind: str) -> None:
    [ranked] = pagerduty(kind, priority={"summary": "SEV-3"})
    assert (short(ranked), own(ranked)["priority"]) == ("incident.reported", "P3")
    assert content(ranked)["ticketURI"] == "https://acme.pagerduty.com/incidents/PGR0VU2"
    assert pagerduty(kind, html_url="") == []
    assert short(pagerduty("incident.reopened")[0]) == "incident.detected"


def test_without_a_priority_the_urgency_says_something() -> None:
    assert own(pagerduty(priority=None, urgency="low")[0])["priority"] == "P3"
    assert "priority" not in own(pagerduty(priority=None)[0])
    assert own(pagerduty(priority={"summary": "Blocker"})[0])["priority"] == "Blocker"


def test_our_own_incidents_are_left_to_our_own_events() -> None:
    assert pagerduty(incident_key=OURS) == []


def test_an_event_without_an_incident_is_malformed() -> None:
    with pytest.raises(Malformed) as caught:
        pagerduty(id=None)
    assert caught.value.field == "event.data.id"
    with pytest.raises(Malformed):
        told("pagerduty", {"messages": []})  # version 2


def alertmanager(*alerts: Json) -> list[Json]:
    return told("alertmanager", ALERTS | {"alerts": list(alerts)})


def test_an_alert_is_an_incident_from_its_start_to_its_end() -> None:
    [event] = alertmanager(alert())
    key = "3b7c9d0a1f2e4d56/2026-11-20T10:10:00.123456Z"
    assert (short(event), event["subject"], event["source"]) == ("incident.detected", key, "/alertmanager")
    assert event["time"] == "2026-11-20T10:10:00.123456Z"
    assert own(event) == {
        "name": "CheckoutErrors", "title": "CheckoutErrors", "priority": "P1", "counted": True,
        "startedAt": "2026-11-20T10:10:00.123456Z",
    }  # fmt: skip
    [over] = alertmanager(alert(status="resolved", endsAt="2026-11-20T11:00:00Z"))
    assert (short(over), over["time"], over["subject"]) == ("incident.resolved", "2026-11-20T11:00:00Z", key)


def test_what_is_told_again_and_by_another_alertmanager_is_the_same_event() -> None:
    again = ALERTS | {"externalURL": "http://other:9093", "groupKey": "{}"}
    figures = alert(annotations={"summary": "9.9 % of checkouts fail"})
    assert told("alertmanager", again | {"alerts": [figures]}) == alertmanager(alert())


def test_alerts_without_a_service_and_the_watchdog_are_no_incidents() -> None:
    labels = alert()["labels"]
    nothing = [{**labels, "service": ""}, {**labels, "severity": "none"}, {**labels, "severity": "info"}]
    assert alertmanager(*(alert(labels=each) for each in nothing)) == []


def test_labels_tell_priority_environment_and_drills_and_an_annotation_the_cause() -> None:
    labels = {**alert()["labels"], "priority": "P2", "environment": "staging", "drill": "true"}
    [event] = alertmanager(alert(labels=labels, annotations={"flyball_deployment": "v2.14.0"}))
    assert content(event)["environment"] == {"id": "staging"}
    assert own(event).items() >= {"priority": "P2", "counted": False, "deployment": "v2.14.0"}.items()


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (ALERTS | {"version": "3"}, "version"),
        (ALERTS | {"alerts": [alert(), alert(status="resolved")]}, "alerts[1].endsAt"),
        (changed(ALERTS, "alerts.0.fingerprint", ""), "alerts[0].fingerprint"),
        ([], ""),
    ],
)  # fmt: skip
def test_mistakes_are_named(payload: object, field: str) -> None:
    with pytest.raises(Malformed) as caught:
        told("alertmanager", payload)
    assert caught.value.field == field
