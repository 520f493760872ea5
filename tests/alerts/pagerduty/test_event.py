"""What PagerDuty is told of an incident: within its limits, in the right order."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.model import Link
from alerts.pagerduty.event import (
    AFTER,
    Action,
    Standing,
    actions_for,
    dedup_key,
    page_digest,
    severity,
    summary,
    trigger,
)
from controlplane.model.incident import IncidentState, PriceTag, Priority, Suspect
from tests.alerts.snapshots import ALERT, INCIDENT, NOW, acknowledged, resolved, snapshot_of
from tests.outside.failing import Asked
from tests.outside.pagerduty import ROUTING_KEY, PagerDutyServer

OPEN, ACKNOWLEDGED, RESOLVED = IncidentState.OPEN, IncidentState.ACKNOWLEDGED, IncidentState.RESOLVED
TRIGGER, ACKNOWLEDGE, RESOLVE = Action.TRIGGER, Action.ACKNOWLEDGE, Action.RESOLVE


@pytest.mark.parametrize(
    ("state", "standing", "expected"),
    [
        (OPEN, Standing.UNKNOWN, (TRIGGER,)),
        (OPEN, Standing.TRIGGERED, ()),
        (OPEN, Standing.ACKNOWLEDGED, (RESOLVE, TRIGGER)),
        (OPEN, Standing.RESOLVED, (TRIGGER,)),
        (ACKNOWLEDGED, Standing.UNKNOWN, (TRIGGER, ACKNOWLEDGE)),
        (ACKNOWLEDGED, Standing.TRIGGERED, (ACKNOWLEDGE,)),
        (ACKNOWLEDGED, Standing.ACKNOWLEDGED, ()),
        (ACKNOWLEDGED, Standing.RESOLVED, (TRIGGER, ACKNOWLEDGE)),
        (RESOLVED, Standing.UNKNOWN, (TRIGGER, RESOLVE)),
        (RESOLVED, Standing.TRIGGERED, (RESOLVE,)),
        (RESOLVED, Standing.ACKNOWLEDGED, (RESOLVE,)),
        (RESOLVED, Standing.RESOLVED, ()),
    ],
)
def test_each_standing_is_brought_to_where_the_incident_is(
    state: IncidentState, standing: Standing, expected: tuple[Action, ...]
) -> None:
    assert actions_for(state, standing, is_changed=False) == expected


def test_a_page_that_reads_otherwise_is_triggered_again_while_nobody_has_it() -> None:
    assert actions_for(OPEN, Standing.TRIGGERED, is_changed=True) == (TRIGGER,)
    assert actions_for(ACKNOWLEDGED, Standing.ACKNOWLEDGED, is_changed=True) == ()


@given(st.sampled_from(IncidentState), st.sampled_from(Standing), st.booleans())
def test_a_trigger_is_never_the_last_word_about_an_incident_that_is_over(
    state: IncidentState, standing: Standing, is_changed: bool
) -> None:
    actions = actions_for(state, standing, is_changed=is_changed)
    ends = AFTER[actions[-1]] if actions else standing
    assert (ends is Standing.RESOLVED) == (state is RESOLVED)


def test_a_page_carries_what_an_on_call_person_needs() -> None:
    price = PriceTag(NOW, budget_burned=(("gateway", Decimal("0.18")),), failed_operations=Decimal(1200))
    suspect = Suspect(NOW - timedelta(minutes=6), "deployment.finished", "gateway", "gateway 2.3.1", Decimal("0.9"))
    event: Any = trigger(snapshot_of(replace(INCIDENT, price=price, suspects=(suspect,))))
    assert event["payload"]["summary"] == "P1 INC-7: gateway burns its budget 14 times too fast"
    assert (event["payload"]["severity"], event["payload"]["class"]) == ("critical", "SLOErrorBudgetBurn")
    details = event["payload"]["custom_details"]
    assert details["price"] == ["18 % of the error budget of gateway", "1200 failed operations"]
    assert details["suspects"] == ["4 min before: gateway 2.3.1"]
    assert details["runbooks"] == ["https://runbooks.test/gateway"]
    assert event["links"][0]["href"] == event["client_url"] == "https://flyball.test/incidents/i1"


def test_priorities_have_pagerdutys_severities() -> None:
    found = [severity(replace(INCIDENT, priority=priority)) for priority in Priority]
    assert found == ["critical", "critical", "error", "warning", "info"]


def test_the_dedup_key_is_the_incidents_and_the_channels_and_never_too_long() -> None:
    assert dedup_key(INCIDENT, "pagerduty:SRE") == "flyball/i1/pagerduty:SRE"
    long = {dedup_key(INCIDENT, f"pagerduty:{'x' * 400}{number}") for number in range(3)}
    assert len(long) == 3
    assert all(len(key) <= 255 for key in long)


def test_only_what_is_seen_at_first_sight_makes_another_page() -> None:
    first = page_digest(snapshot_of())
    assert page_digest(snapshot_of(replace(INCIDENT, version=9, summary="more"), (ALERT, ALERT))) == first
    assert page_digest(snapshot_of(acknowledged(INCIDENT))) == first
    assert page_digest(snapshot_of(replace(INCIDENT, priority=Priority.P0))) != first


_TEXTS = st.text(max_size=30) | st.text(min_size=1, max_size=5).map(lambda text: text * 300)
_HOSTILE = st.builds(
    lambda title, service, labels, text, urls: snapshot_of(
        replace(INCIDENT, title=title, service=service, labels=labels, summary=text, repeats=text),
        tuple(
            replace(ALERT, fingerprint=f"{number}", labels=labels, annotations={"summary": text})
            for number in range(12)
        ),
        runbooks=tuple(Link(text, url) for url in urls),
        links=tuple(Link(text, f"https://example.test/{url}") for url in urls),
        on_call=(text, title),
    ),
    _TEXTS,
    _TEXTS,
    st.dictionaries(_TEXTS, _TEXTS, max_size=5),
    _TEXTS,
    st.lists(_TEXTS, max_size=5),
)


@given(_HOSTILE)
def test_whatever_an_incident_says_pagerduty_takes_it(snapshot: Any) -> None:
    server = PagerDutyServer()
    for action in (TRIGGER, RESOLVE):
        event = trigger(snapshot) if action is TRIGGER else {}
        event |= {"routing_key": ROUTING_KEY, "event_action": action.value, "dedup_key": "k"}
        answered = server.answer(Asked("POST", "/v2/enqueue", {}, json.dumps(event, ensure_ascii=False).encode()))
        assert answered.status == 202, server.refused
    assert server.pages[0].summary == summary(snapshot)


def test_the_largest_incident_fits() -> None:
    text = "\U0001f525" * 1100
    labels = {f"{number}{text}": text for number in range(200)}
    alerts = tuple(replace(ALERT, fingerprint=f"{number}", annotations={"summary": text}) for number in range(20))
    suspects = tuple(Suspect(NOW, "k", text, text, Decimal(1), (text,)) for _ in range(20))
    event = trigger(snapshot_of(replace(INCIDENT, title=text, labels=labels, suspects=suspects), alerts))
    assert len(json.dumps(event).encode()) < 512 * 1024


def test_resolved_incidents_say_so_in_their_details() -> None:
    event: Any = trigger(snapshot_of(resolved(INCIDENT, NOW + timedelta(hours=1))))
    assert event["payload"]["custom_details"]["state"] == "Resolved after 1 h 2 min"
