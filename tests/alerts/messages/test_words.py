"""What is said of an incident."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from alerts.messages import words
from alerts.model import Snapshot
from controlplane.model.alert import AlertStatus
from controlplane.model.incident import Origin, PriceTag, Priority, TimelineKind
from tests.alerts.messages.samples import INCIDENT, NOW, a_line, a_snapshot, acknowledged, an_alert, resolved


@pytest.mark.parametrize(
    ("snapshot", "word", "state"),
    [
        (a_snapshot(), "Firing", "Firing for 12 min"),
        (a_snapshot(alerts=(), alert_count=0, firing_count=0), "Open", "Open for 12 min"),
        (a_snapshot(replace(INCIDENT, quiet_since=NOW - timedelta(minutes=1)), firing_count=0), "Open",
         "Quiet for 1 min"),
        (a_snapshot(acknowledged()), "Acknowledged", "Acknowledged by ann, firing for 12 min"),
        (a_snapshot(acknowledged(""), firing_count=0), "Acknowledged", "Acknowledged, quiet for 0 s"),
        (a_snapshot(resolved()), "Resolved", "Resolved by ann after 12 min: rolled back"),
        (a_snapshot(resolved("", "")), "Resolved", "Resolved after 12 min"),
        (a_snapshot(taken_at=NOW - timedelta(days=1)), "Firing", "Firing for 0 s"),
    ],
)  # fmt: skip
def test_how_it_stands(snapshot: Snapshot, word: str, state: str) -> None:
    assert words.state_word(snapshot) == word
    assert words.state_of(snapshot) == state


def test_a_headline_says_how_bad_it_is_and_what_it_is_called() -> None:
    assert words.headline(replace(INCIDENT, title="a\nb\u202e")) == "P1 INC-7: a b"
    assert words.headline(replace(INCIDENT, number=0, title="")) == "P1: an incident"
    assert words.headline(replace(INCIDENT, origin=Origin.DRILL, priority=Priority.P0, title="x")) == (
        "EXERCISE P0 INC-7: x"
    )


def test_a_price_says_what_is_known_and_nothing_else() -> None:
    assert words.price_lines(None) == []
    assert words.price_lines(PriceTag(NOW)) == []
    assert words.price_lines(PriceTag(NOW, failed_operations=Decimal(0))) == ["0 failed operations"]
    assert words.price_lines(PriceTag(NOW, extra_spend=(("llm", Decimal("-3"), "USD"),))) == []


def test_a_suspect_says_when_it_was() -> None:
    (suspect,) = INCIDENT.suspects
    after = replace(suspect, at=INCIDENT.started_at + timedelta(seconds=30), reasons=(), text="")
    assert words.suspect_line(after, INCIDENT) == "30 s after it began: graphql-gateway"


def test_an_alert_that_has_ended_says_so() -> None:
    alert = an_alert(status=AlertStatus.RESOLVED, labels={"alertname": "Down"}, annotations={})
    assert words.alert_line(alert) == "Down (ended)"


def test_nothing_is_said_twice() -> None:
    incident = replace(INCIDENT, title="same", summary="same")
    alert = an_alert(annotations={"description": "same", "worst": "POST /pay"})
    assert list(words.said_by_alerts(a_snapshot(incident, alerts=(alert,)))) == ["Worst: POST /pay"]


def test_a_runbook_is_called_one_once() -> None:
    names = [words.runbook_name(text) for text in ("Gateway outage", "Runbook", "runbook of x", "")]
    assert names == ["Runbook: Gateway outage", "Runbook", "runbook of x", "Runbook"]


def test_a_line_says_its_kind_and_who_it_was_once() -> None:
    assert words.timeline_line(a_line(text="Deployment of x", kind=TimelineKind.DEPLOYMENT)) == "Deployment of x"
    assert words.timeline_line(a_line(text="ann took it", actor="ann")) == "ann took it"
