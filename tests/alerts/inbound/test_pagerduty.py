"""PagerDuty's webhooks, as its developer documentation shows them."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.inbound.model import Answer, Deed, Nothing, Unreadable
from alerts.inbound.pagerduty import is_genuine, parse

NOW = datetime(2026, 12, 1, 3, 12, tzinfo=UTC)
SECRET = "lDQHScfUeXUKaQRNF+8XIiDKZ7XX3itBAYzwU0TARw8lJqRnkKl2iB1anSb0Z+IK"
KEY = "flyball/9f2c41d0aa/pagerduty:sre"


def event(kind: str = "incident.acknowledged", **changes: Any) -> bytes:
    whole = {
        "id": "5ac64822-4adc-4fda-ade0-410becf0de4f",
        "event_type": kind,
        "resource_type": "incident",
        "occurred_at": "2026-12-01T03:11:22.169Z",
        "agent": {"id": "PLH1HKV", "summary": "Ann  Example", "type": "user_reference"},
        "client": {"name": "PagerDuty"},
        "data": {"id": "PGR0VU2", "type": "incident", "status": "acknowledged", "incident_key": KEY, "title": "x"},
    }
    return json.dumps({"event": whole | changes}).encode()


def signature(body: bytes, secret: str = SECRET) -> str:
    return f"v1={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def test_an_acknowledgement_names_the_incident_and_who_it_was() -> None:
    at = datetime(2026, 12, 1, 3, 11, 22, 169000, tzinfo=UTC)
    assert parse(event(), NOW) == Answer(
        "pagerduty:5ac64822-4adc-4fda-ade0-410becf0de4f", Deed.ACKNOWLEDGE, "pagerduty", "Ann Example", at,
        outside_id=KEY,
    )  # fmt: skip
    resolved = parse(event("incident.resolved"), NOW)
    assert isinstance(resolved, Answer)
    assert resolved.deed is Deed.RESOLVE


@pytest.mark.parametrize(
    "body",
    [
        event("incident.triggered"),
        event("incident.unacknowledged"),
        event("service.updated"),
        event(agent=None),  # PagerDuty's own clock
        event(agent={"type": "generic_events_api_inbound_integration_reference", "summary": "Flyball"}),  # our own
        event(occurred_at="2026-12-01T01:00:00Z"),
        event(occurred_at="2026-12-01T04:00:00Z"),
    ],
)
def test_what_no_person_did_or_long_ago_or_is_none_of_ours_changes_nothing(body: bytes) -> None:
    assert isinstance(parse(body, NOW), Nothing)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", ""), (b"\xff", ""), (b"[]", ""), (b"[" * 100_000, ""), (b"{}", "event"), (event(id=7), "event"),
        (event(occurred_at="yesterday"), "event.occurred_at"), (event(data={}), "event.data.incident_key"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_said(body: bytes, field: str) -> None:
    found = parse(body, NOW)
    assert isinstance(found, Unreadable)
    assert found.field == field


def test_a_signature_by_any_of_the_secrets_will_do() -> None:
    body = event()
    assert is_genuine(body, signature(body), [SECRET])
    assert is_genuine(body, f"{signature(body, 'old')}, {signature(body)}", ["new", SECRET])


@pytest.mark.parametrize(
    "header",
    ["", "v1=", "v2=" + signature(event())[3:], signature(event() + b" "), signature(event(), "guess"), "ü" * 50],
)
def test_anything_else_is_not_genuine(header: str) -> None:
    assert not is_genuine(event(), header, [SECRET])


def test_without_a_secret_nothing_is_genuine() -> None:
    body = event()
    assert not is_genuine(body, signature(body, ""), [""])
    assert not is_genuine(body, signature(body, ""), [])


_JSON = st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=9), lambda part: st.lists(part) | st.dictionaries(st.sampled_from(["event", "agent", "data", "id", "event_type", "occurred_at", "type", "incident_key"]), part), max_leaves=20)  # fmt: skip # noqa: E501


@given(_JSON, st.sampled_from(["id", "event_type", "occurred_at", "agent", "data"]))
def test_nothing_that_comes_breaks_it(value: object, name: str) -> None:
    for body in (json.dumps(value).encode(), event(**{name: value})):
        assert parse(body, NOW + timedelta(0)) is not None
