"""Tests beside routes, and decisions as people read them."""

import json
from datetime import UTC, datetime

from alerts.model import AlertsDeclared
from alerts.routing.deciding import Decision, decide
from alerts.routing.route_tests import test_count as count_of
from alerts.routing.route_tests import test_problems as problems_of
from alerts.routing.views import decision_data, decision_text
from tests.alerts.documents import shown
from tests.alerts.routing.reading import everything, of

PEOPLE = (
    of("Receiver", "chat", 'channels: [{slack: {channel: "#ops"}}]'),
    of(
        "Receiver",
        "pager",
        "channels:\n  - {pagerduty: {routingKeyFrom: FLYBALL_PAGERDUTY_SRE}, priorities: [P0, P1]}\n"
        '  - slack: {channel: "#critical"}',
    ),
    of("Receiver", "ann", "channels: [{pagerduty: {routingKeyFrom: FLYBALL_PAGERDUTY_ANN}}]"),
    of("Receiver", "ben", "channels: [{pagerduty: {routingKeyFrom: FLYBALL_PAGERDUTY_BEN}}]"),
    of("Schedule", "sre", "timeZone: UTC\nrotations: [{name: w, participants: [ann, ben], start: 2026-01-05T09:00}]"),
    of(
        "EscalationPolicy",
        "p0",
        "steps:\n  - {after: 0m, notify: [{schedule: sre}]}\n  - {after: 5m, notify: [{receiver: pager}]}",
    ),
    of("MaintenanceWindow", "nights", "weekly: [{from: '22:00', to: '06:00'}]\nmatch: [['service=batch']]"),
    of("Runbook", "outage", "title: Outage\nurl: https://runbooks.example.com/outage\nfor: [['alertname=Down']]"),
)
ROUTES = """\
default: true
receivers: [chat]
groupBy: [service]
groupWait: 10s
routes:
  - {name: pages, match: ['severity=page'], receivers: [pager], escalation: p0, priority: P1}
tests:
"""
MONDAY = datetime(2026, 1, 12, 9, tzinfo=UTC)  # Ben's first hour


def declared(tests: str = "  []") -> AlertsDeclared:
    return everything(of("Route", "default", ROUTES + tests), *PEOPLE)


def decided(at: datetime | None = None, **labels: str) -> Decision:
    known = declared()
    assert known.root is not None
    return decide(known, known.root, labels, at)


def test_tests_that_hold_are_silent() -> None:
    tests = """\
  - name: a page tells whoever is on call
    labels: {severity: page, service: api}
    at: 2026-01-12T09:00Z
    expect: {routes: [default/pages], receivers: [pager], escalation: p0, priority: P1, muted: false, onCall: [ben]}
  - name: the rest goes to the chat
    labels: {severity: ticket}
    expect: {routes: [default], receivers: [chat], escalation: none, priority: P3, muted: false}
  - name: the batch may fail at night
    labels: {severity: page, service: batch}
    at: 2026-01-12T23:00Z
    expect: {muted: true, receivers: []}"""
    known = declared(tests)
    assert problems_of(known) == []
    assert count_of(known.root) == 3


def test_each_thing_that_is_not_as_expected_is_told_with_the_command_that_says_why() -> None:
    tests = """\
  - name: all wrong
    labels: {severity: page, service: it's}
    at: 2026-01-12T09:00Z
    expect: {routes: [default], receivers: [chat, ann], escalation: "", priority: P0, muted: true, onCall: [ann]}"""
    problems = problems_of(declared(tests))
    assert shown(problems, hints=False) == [
        "12:13 spec.tests: `all wrong`: expects the routes default, but it ends at default/pages",
        "12:13 spec.tests: `all wrong`: expects to tell chat, ann, but it tells pager",
        "12:13 spec.tests: `all wrong`: expects the escalation none, but it is p0",
        "12:13 spec.tests: `all wrong`: expects the priority P0, but it is P1",
        "12:13 spec.tests: `all wrong`: expects it to be muted, but it is not",
        "12:13 spec.tests: `all wrong`: expects on call ann, but ben is",
    ]
    assert {problem.hint for problem in problems} == {
        """why: flyball alerts route severity=page 'service=it'"'"'s' --at 2026-01-12T09:00Z"""
    }


def test_a_decision_says_who_when_how_and_why() -> None:
    assert (
        decision_text(decided(MONDAY, severity="page", alertname="Down", service="api"))
        == """\
P1 by route default/pages at 2026-01-12 09:00 UTC

WHO                  AFTER  HOW
pager                 10 s  pagerduty:sre, slack:#critical
ben                   10 s  step 1, on call by sre: pagerduty:ben
pager                5 min  step 2: pagerduty:sre, slack:#critical

Escalation   p0
Incident     one for service=api
Over         2 min after its last alert ended
Told again   news after 5 min, the same after 4 h
Runbook      Outage: https://runbooks.example.com/outage

Why
  watchdog does not match: alertname="Watchdog", but alertname is 'Down'
  default takes every alert
  default/pages matches: severity="page"
  priority P1: the route says so"""
    )


def test_nobody_is_told_of_what_is_muted_or_only_kept_and_that_is_said_first() -> None:
    muted = decision_text(decided(datetime(2026, 1, 12, 23, tzinfo=UTC), service="batch"))
    assert muted.startswith("Nobody is told at 2026-01-12 23:00 UTC: muted by window nights, route default.\n\nEsc")
    kept = decision_text(decided(severity="info"))
    assert kept.startswith("Nobody is told: alerts of the route record are only kept.\n\nWhy\n")


def test_channels_that_are_not_told_of_such_priorities_are_left_out() -> None:
    known = everything(
        of("Route", "default", "default: true\nreceivers: [pager]"),
        PEOPLE[1],
    )
    assert known.root is not None
    (told,) = decide(known, known.root, {"severity": "ticket"}, None).told
    assert told.channels == ("slack:#critical",)


def test_without_a_time_nobody_is_on_call_and_the_schedule_is_named() -> None:
    found = decided(severity="page")
    assert [(told.receiver, told.schedule) for told in found.told] == [("pager", ""), ("", "sre"), ("pager", "")]
    assert "on call: sre" in decision_text(found)


def test_a_decision_is_json() -> None:
    data = json.loads(json.dumps(decision_data(decided(MONDAY, severity="page", service="api"))))
    assert [each["receiver"] for each in data["told"]] == ["pager", "ben", "pager"]
    assert [each["after_seconds"] for each in data["told"]] == [10, 10, 310]
    assert data["routes"][0]["route"] == "default/pages"
    assert data["grouped_by"] == {"service": "api"}
    assert data["at"] == "2026-01-12T09:00:00+00:00"
