"""What is probably not meant about routes, receivers and windows."""

from datetime import UTC, datetime

from alerts.routing.lint import lint_problems
from tests.alerts.documents import shown
from tests.alerts.routing.reading import everything, of

NOW = datetime(2026, 12, 1, tzinfo=UTC)
CHAT = of("Receiver", "chat", 'channels: [{slack: {channel: "#ops"}}]')


def found(*texts: str) -> list[str]:
    problems = lint_problems(everything(*texts), NOW)
    assert all(problem.severity.value == "warning" and problem.rule for problem in problems)
    return [line.removeprefix(line.split(" ")[0]).strip() for line in shown(problems, hints=False)]


def test_nothing_is_said_of_what_is_well_or_where_nothing_is_routed() -> None:
    assert found(of("Route", "default", "default: true\nreceivers: [chat]"), CHAT) == []
    assert found(CHAT) == []


def test_what_nothing_refers_to_is_told() -> None:
    assert found(
        of(
            "Route",
            "default",
            "default: true\nreceivers: [chat]\nroutes: [{name: a, match: ['a=b'], muteDuring: [used]}]",
        ),
        CHAT,
        of("Receiver", "ann", 'channels: [{email: {to: ["ann@example.com"]}}]'),
        of("Receiver", "ben", 'channels: [{email: {to: ["ben@example.com"]}}]'),
        of("Receiver", "eve", 'channels: [{email: {to: ["eve@example.com"]}}]'),
        of("Schedule", "sre", "timeZone: UTC\nrotations: [{name: w, participants: [ann], start: 2026-01-05T09:00}]"),
        of("EscalationPolicy", "p0", "steps: [{after: 0m, notify: [{receiver: ben}]}]"),
        of("MaintenanceWindow", "used", "weekly: [{}]"),
        of("MaintenanceWindow", "silencing", "weekly: [{}]\nmatch: [['a=b']]"),
        of("MaintenanceWindow", "idle", "weekly: [{}]"),
        of(
            "MaintenanceWindow",
            "over",
            "spans: [{from: 2026-11-01T00:00Z, until: 2026-11-02T00:00Z}]\nmatch: [['a=b']]",
        ),
    ) == [
        "metadata.name: [warning] nobody tells the receiver eve",
        "metadata.name: [warning] no route escalates by the policy p0",
        "metadata.name: [warning] the window idle keeps nothing quiet",
        "spec.spans: [warning] the window over is over since 2026-11-02 00:00 UTC",
    ]


def test_a_route_behind_one_that_takes_all_of_its_alerts_is_told() -> None:
    root = of("Route", "default", "default: true\nreceivers: [chat]")
    wide = of("Route", "wide", "order: 1\nmatch: ['severity=page']")
    narrow = of("Route", "narrow", "order: 2\nmatch: ['service=db', 'severity=\"page\"']")
    assert found(root, wide, narrow, CHAT) == [
        "spec.match: [warning] the route narrow is never reached: wide takes every alert that it would take"
    ]
    assert found(root, wide + "  continue: true\n", narrow, CHAT) == []


def test_a_page_that_no_channel_takes_and_one_with_a_single_way_are_told() -> None:
    assert found(
        of(
            "Route",
            "default",
            "default: true\nreceivers: [quiet]\nroutes: [{name: a, match: ['a=b'], priority: P0, escalation: p0}]",
        ),
        of("Receiver", "quiet", 'channels: [{slack: {channel: "#ops"}, priorities: [P3]}]'),
        of("Receiver", "ann", "channels: [{pagerduty: {routingKeyFrom: KEY}}]"),
        of("EscalationPolicy", "p0", "steps: [{after: 0m, notify: [{receiver: ann}]}]"),
    ) == [
        "spec.receivers: [warning] the route default/a reaches nobody: no channel of quiet takes P0",
        "spec.fallback: [warning] critical pages to ann have no other way while that channel fails",
    ]


def test_a_route_that_repeats_before_it_looks_is_told() -> None:
    assert found(of("Route", "default", "default: true\nreceivers: [chat]\nrepeatInterval: 1m"), CHAT) == [
        "spec.repeatInterval: [warning] the route default repeats after 1m, but looks at a group every 5m only"
    ]
