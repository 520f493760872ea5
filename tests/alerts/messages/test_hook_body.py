"""An incident as the body of a webhook."""

import json

from hypothesis import given

from alerts.messages.hook_body import MOST_BYTES, body_of, encoded
from alerts.model import Snapshot
from tests.alerts.messages.samples import PAGE, a_snapshot, acknowledged, an_alert, resolved, snapshots


def test_it_says_what_happened_when_and_all_about_it() -> None:
    body = json.loads(encoded(a_snapshot()))
    assert (body["type"], body["timestamp"]) == ("incident.open", "2026-12-01T03:12:00Z")
    data = body["data"]
    incident = data["incident"]
    assert (incident["name"], incident["priority"], incident["url"]) == ("INC-7", "P1", PAGE)
    assert incident["acknowledgedAt"] is None
    assert data["price"]["budgetBurned"] == [{"slo": "graphql-availability", "share": "0.183"}]
    assert data["price"]["extraSpend"] == [{"budget": "llm", "amount": "42.5", "currency": "USD"}]
    assert data["suspects"][0]["text"] == "graphql-gateway 2.3.1 was deployed"
    assert data["alerts"][0]["annotations"]["summary"] == "18.3 % of the 30-day budget is spent"
    assert [link["text"] for link in data["links"]] == ["Gateway outage", "Dashboard"]


def test_its_type_is_its_state() -> None:
    assert body_of(a_snapshot(acknowledged()))["type"] == "incident.acknowledged"
    assert body_of(a_snapshot(resolved()))["type"] == "incident.resolved"


def test_one_that_would_be_too_large_leaves_out_labels_before_it_leaves_out_alerts() -> None:
    large = {f"label_{number}": "x" * 4_000 for number in range(100)}
    alerts = tuple(an_alert(n, labels=large | {"alertname": "Down"}, annotations={"summary": "s"}) for n in range(20))
    body = json.loads(encoded(a_snapshot(alerts=alerts)))
    assert [alert["labels"] for alert in body["data"]["alerts"]] == [{"alertname": "Down"}] * 20
    assert body["data"]["alerts"][0]["annotations"] == {"summary": "s"}
    assert body["data"]["incident"]["url"] == PAGE


@given(snapshots())
def test_it_has_a_bound_and_is_json_whatever_an_incident_holds(snapshot: Snapshot) -> None:
    made = encoded(snapshot)
    assert len(made) <= MOST_BYTES
    assert json.loads(made)["data"]["incident"]["id"] == snapshot.incident.id
