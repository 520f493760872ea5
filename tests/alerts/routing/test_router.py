"""Which routes an alert ends at, with what it inherits, and why."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given

from alerts.routing.declared import watchdog_route
from alerts.routing.model import Route
from alerts.routing.priorities import priority_of
from alerts.routing.router import DEFAULT_GROUP_BY, Router, passed_over
from controlplane.model.incident import Priority
from tests.alerts.routing.reading import of, root, window
from tests.alerts.routing.trees import labels, roots

NIGHT = datetime(2026, 12, 1, 1, 30, tzinfo=UTC)
DAY = datetime(2026, 12, 1, 13, 30, tzinfo=UTC)
NIGHTS = window("timeZone: Europe/Berlin\nweekly: [{from: '22:00', to: '06:00'}]")
OFFICE = window("timeZone: Europe/Berlin\nweekly: [{days: [mon-fri], from: '09:00', to: '17:00'}]", "office-hours")
TREE = root(
    of(
        "Route",
        "default",
        "default: true\nreceivers: [chat]\ngroupBy: [service]\ngroupWait: 10s\nescalation: slow\nresolveAfter: 3m",
    ),
    of("Route", "audit", "order: 1\nmatch: ['audit=yes']\ncontinue: true\nescalation: none\npriority: P4"),
    of(
        "Route",
        "pages",
        """\
order: 2
match: ['severity=page']
receivers: [pager]
escalation: p0
muteDuring: [nights]
routes:
  - name: database
    match: ['service=~"db|cache"']
    receivers: [dba]
    groupBy: ["..."]
    activeDuring: [office-hours]""",
    ),
)
ROUTER = Router(TREE, [NIGHTS, OFFICE])


def ends(router: Router, at: datetime | None = None, **found: str) -> list[str]:
    return [routed.route for routed in router.routes_of(found, at)]


def test_the_deepest_match_has_it_and_the_default_has_the_rest() -> None:
    assert ends(ROUTER, severity="page", service="db") == ["pages/database"]
    assert ends(ROUTER, severity="page", service="api") == ["pages"]
    assert ends(ROUTER, severity="ticket", service="db") == ["default"]
    assert ends(ROUTER, alertname="Watchdog", severity="page") == ["watchdog"]
    assert ends(ROUTER, severity="info") == ["record"]


def test_a_route_that_goes_on_lets_others_have_it_as_well() -> None:
    assert ends(ROUTER, severity="page", audit="yes") == ["audit", "pages"]
    assert ends(ROUTER, severity="ticket", audit="yes") == ["audit"]


def test_what_a_route_does_not_say_it_has_from_its_parents() -> None:
    (found,) = ROUTER.routes_of({"severity": "page", "service": "db"})
    assert (found.receivers, found.escalation, found.priority) == (("dba",), "p0", Priority.P1)
    assert found.group_by == ("service", "severity")  # `...`: every label, in order of name
    assert (found.group_wait, found.resolve_after) == (timedelta(seconds=10), timedelta(minutes=3))
    (audit, _) = ROUTER.routes_of({"severity": "page", "audit": "yes"})
    assert (audit.receivers, audit.escalation, audit.priority) == (("chat",), "", Priority.P4)


def test_our_own_routes_tell_nobody() -> None:
    for found in ({"alertname": "Watchdog"}, {"severity": "info"}):
        (routed,) = ROUTER.routes_of(found)
        assert (routed.receivers, routed.escalation, routed.tells_nobody) == ((), "", True)


def test_a_route_is_muted_by_its_own_times_alone() -> None:
    def muted(at: datetime | None, **found: str) -> str:
        return ROUTER.routes_of(found, at)[0].muted_by

    assert muted(NIGHT, severity="page", service="api") == "window nights"
    assert muted(DAY, severity="page", service="api") == ""
    assert muted(NIGHT, severity="page", service="db") == "window office-hours"
    assert muted(DAY, severity="page", service="db") == ""
    assert muted(NIGHT, severity="ticket") == ""
    assert muted(None, severity="page", service="db") == ""


def test_a_window_with_matchers_silences_on_every_route() -> None:
    silencing = replace(
        NIGHTS, name="backup", matchers=window("weekly: [{}]\nmatch: [['service=db'], ['team=x']]").matchers
    )
    router = Router(TREE, [NIGHTS, OFFICE, silencing])
    (found,) = router.routes_of({"service": "db"}, NIGHT)
    assert (found.route, found.is_muted, found.muted_by) == ("default", True, "window backup")
    assert found.reasons[-1] == "muted: backup silences it then"
    assert not router.routes_of({"service": "db"}, DAY)[0].is_muted
    assert not router.routes_of({"service": "api"}, NIGHT)[0].is_muted


def test_every_step_of_a_decision_is_said() -> None:
    (found,) = ROUTER.routes_of({"severity": "page", "service": "db"}, NIGHT)
    assert found.reasons == (
        "default takes every alert",
        'pages matches: severity="page"',
        'pages/database matches: service=~"db|cache"',
        "priority P1: the label severity is page",
        "muted: the route is active only during office-hours",
    )
    assert passed_over(TREE, {"severity": "page"}) == [
        'watchdog does not match: alertname="Watchdog", but it has no label alertname',
        'audit does not match: audit="yes", but it has no label audit',
    ]


def test_a_route_that_alertmanager_chose_is_looked_up_by_its_name() -> None:
    found = ROUTER.named("pages/database", {"severity": "page"}, DAY)
    assert found is not None
    assert (found.receivers, found.escalation, found.is_muted) == (("dba",), "p0", False)
    assert ROUTER.named("somebody-elses", {}) is None


def test_without_a_word_about_groups_alerts_are_grouped_by_what_they_are_about() -> None:
    (found,) = Router(Route("default", receivers=("chat",), routes=(watchdog_route(),))).routes_of({"service": "api"})
    assert found.group_by == DEFAULT_GROUP_BY


@pytest.mark.parametrize(
    ("found", "priority"),
    [
        ({"priority": "P0", "severity": "ticket"}, Priority.P0),
        ({"priority": "p2"}, Priority.P2),
        ({"priority": "high", "severity": "page"}, Priority.P1),
        ({"severity": "P0"}, Priority.P0),
        ({"severity": "critical"}, Priority.P1),
        ({"severity": "error"}, Priority.P2),
        ({"severity": "warning"}, Priority.P3),
        ({"severity": "none"}, Priority.P4),
        ({"severity": "info"}, Priority.P4),
        ({"severity": "sev1"}, Priority.P3),
        ({}, Priority.P3),
    ],
)
def test_labels_say_how_bad_it_is(found: dict[str, str], priority: Priority) -> None:
    assert priority_of(found) is priority


@given(roots, labels)
def test_every_alert_ends_somewhere_and_its_route_can_be_looked_up(tree: Route, found: dict[str, str]) -> None:
    router = Router(tree)
    routed = router.routes_of(found)
    assert routed
    assert len({each.route for each in routed}) == len(routed)
    for each in routed:
        again = router.named(each.route, found)
        assert again is not None
        assert replace(again, reasons=()) == replace(each, reasons=())
