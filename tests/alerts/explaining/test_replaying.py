"""What a configuration would have told whom, and when."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerts.explaining.comparing import changes, counted
from alerts.explaining.delivering import delivered
from alerts.explaining.firings import Fired
from alerts.explaining.replaying import Configuration, Replayed, replay
from alerts.maintenance.active import is_active
from alerts.model import AlertsDeclared
from alerts.routing.router import Router
from controlplane.model.incident import Priority
from controlplane.model.inhibition import Inhibition
from tests.alerts.explaining.replays import (
    HOUR,
    MINUTE,
    SECOND,
    SINCE,
    UNTIL,
    a_receiver,
    a_route,
    declared,
    fired,
    night,
)

PAGES = a_route("pages", 'severity="page"', to="sre", escalation="p0")
INHIBITS = (Inhibition(('severity="page"',), ('severity="ticket"',), ("service",)),)


def tried(alerts: Sequence[Fired], config: AlertsDeclared, further: tuple[Inhibition, ...] = ()) -> Replayed:
    return replay(alerts, Configuration(config, further), UNTIL)


def tellings(found: Replayed) -> list[tuple[float, str, str]]:
    """Each in seconds from the beginning, in order."""
    told = [each for episode in found.episodes for each in episode.tellings]
    return [((each.at - SINCE).total_seconds(), each.receiver, each.by) for each in told]


def test_a_page_goes_to_its_route_and_up_the_policy_until_it_is_over() -> None:
    found = tried([fired(9 * HOUR, 8 * MINUTE, severity="page")], declared(PAGES))
    at = 9 * 3600 + 10
    assert tellings(found) == [
        (at, "sre", "route pages"), (at, "ben", "p0, step 1"), (at + 300, "lead", "p0, step 2")
    ]  # fmt: skip
    (episode,) = found.episodes
    assert (episode.title, episode.priority) == ("Down gateway", Priority.P1)
    assert episode.ended_at == SINCE + 9 * HOUR + 10 * MINUTE


def test_who_was_on_call_then_is_told_and_an_acknowledgement_of_the_real_incident_counts() -> None:
    at = 30 * HOUR
    found = tried([fired(at, acknowledged=at + 6 * MINUTE, severity="page")], declared(PAGES))
    assert [receiver for _, receiver, _ in tellings(found)] == ["sre", "ben", "lead"]
    found = tried([fired(at + 10 * HOUR, acknowledged=at + 10 * HOUR + MINUTE, severity="page")], declared(PAGES))
    assert [receiver for _, receiver, _ in tellings(found)] == ["sre", "ann"]


def test_what_is_over_before_its_group_is_told_is_told_to_nobody() -> None:
    found = tried([fired(HOUR, 9 * SECOND)], declared())
    assert tellings(found) == []
    assert found.quiet == {0: "it was over before route default is told, 10 s after it began"}


def test_alerts_of_one_key_are_one_incident_until_all_ended_for_a_while() -> None:
    alerts = [fired(HOUR, 5 * MINUTE, part="a"), fired(HOUR + 2 * MINUTE, 5 * MINUTE, part="b")]
    again = [fired(HOUR + 8 * MINUTE, MINUTE, part="a"), fired(HOUR + 20 * MINUTE, MINUTE, part="a")]
    found = tried([*alerts, *again, fired(HOUR, service="other")][:4], declared())
    assert [each.alerts for each in found.episodes] == [(0, 1, 2), (3,)]
    assert tellings(found) == [(3610, "chat", "route default"), (3600 + 1210, "chat", "route default")]


def test_a_later_alert_of_a_group_is_told_at_its_next_interval() -> None:
    late = fired(HOUR + 20 * SECOND, severity="page", part="late")
    found = tried([fired(HOUR), late], declared(a_route("all", to="chat", priority=None)))
    assert tellings(found)[0][0] == 3610
    root = declared().root
    assert root is not None
    notices = delivered([fired(HOUR), late], Router(root), (), (), UNTIL).notices
    assert [(each.at - SINCE).total_seconds() for each in notices] == [3610, 3670]


def test_a_more_urgent_alert_raises_the_incident_and_those_who_take_only_that_are_told() -> None:
    config = declared()
    config = replace(config, receivers=(*config.receivers[1:], a_receiver("chat", critical_only=True)))
    found = tried([fired(HOUR, severity="ticket"), fired(HOUR + MINUTE, severity="page")], config)
    (episode,) = found.episodes
    assert episode.priority is Priority.P1
    assert tellings(found) == [(3670, "chat", "route default")]


def test_an_inhibited_alert_is_told_when_its_inhibitor_ends_if_it_still_fires() -> None:
    page = fired(HOUR, 30 * MINUTE, severity="page")
    config = declared(a_route("pages", 'severity="page"', to="sre"), a_route("tickets", 'severity="ticket"', to="chat"))
    short, long = (
        fired(HOUR + MINUTE, 5 * MINUTE, severity="ticket", part="s"),
        fired(HOUR, 2 * HOUR, severity="ticket"),
    )
    found = tried([page, long, short], config, INHIBITS)
    assert tellings(found)[0] == (3610, "sre", "route pages")
    assert tellings(found)[1] == (3600 + 1810 + 0, "chat", "route tickets")
    assert found.quiet == {2: 'inhibited by Down{service="gateway", severity="page"}'}
    other = replace(page, labels={**page.labels, "service": "other"})
    assert tellings(tried([other, short], config, INHIBITS))[1][1] == "chat"


def test_an_alert_never_inhibits_another_that_is_both_source_and_target() -> None:
    rules = (Inhibition(('severity="page"',), ('alertname="Down"',), ()),)
    both = [fired(HOUR, severity="page"), fired(HOUR, severity="page", part="b")]
    root = declared().root
    assert root is not None
    assert len(delivered(both, Router(root), (), rules, UNTIL).notices) == 2


def test_a_muted_route_is_told_when_its_window_ends() -> None:
    config = declared(a_route("tickets", 'severity="ticket"', muted_during=("night",)), windows=(night(),))
    found = tried(
        [fired(23 * HOUR, 10 * HOUR, severity="ticket"), fired(27 * HOUR, HOUR, severity="ticket", part="b")], config
    )
    assert tellings(found) == [(30 * 3600 + 10, "chat", "route tickets")]
    assert found.quiet == {1: "muted by window night"}


def test_a_route_that_is_active_only_at_times_is_told_then() -> None:
    config = declared(a_route("tickets", 'severity="ticket"', active_during=("night",)), windows=(night(),))
    found = tried([fired(20 * HOUR, 10 * HOUR, severity="ticket")], config)
    assert tellings(found) == [(22 * 3600 + 10, "chat", "route tickets")]


def test_routes_of_the_record_tell_nobody_and_without_routes_nobody_is_told() -> None:
    config = declared(a_route("record", 'severity="info"'))
    assert tried([fired(HOUR, severity="info")], config).quiet == {0: "route record tells nobody"}
    assert tried([fired(HOUR)], AlertsDeclared()).quiet[0].startswith("no Route is declared")


def test_what_would_change_is_told_once_for_alerts_that_belong_together() -> None:
    alerts = [
        fired(HOUR, severity="page"), fired(HOUR + MINUTE, severity="page", part="b"),
        fired(5 * HOUR, severity="ticket", service="ingest"),
    ]  # fmt: skip
    slow = declared(a_route("pages", 'severity="page"', to="lead", group_wait=30 * SECOND), a_route("rest", to="chat"))
    slow = replace(slow, root=replace(slow.root, receivers=("exec",)))  # type: ignore[type-var]
    first, second = tried(alerts, declared(a_route("pages", 'severity="page"', to="sre"))), tried(alerts, slow)
    (change,) = changes(alerts, first, second)
    assert change.alerts == (0, 1)
    assert [each.receiver for each in change.lost] == ["sre"]
    assert [(each.receiver, (each.at - SINCE).total_seconds()) for each in change.gained] == [("lead", 3630)]
    assert changes(alerts, first, first) == []
    assert counted(first) == {"chat": 1, "sre": 1}
    later = tried(alerts, declared(a_route("pages", 'severity="page"', to="sre", group_wait=40 * SECOND)))
    (change,) = changes(alerts, first, later)
    assert [each.after.at - each.before.at for each in change.moved] == [30 * SECOND]
    nobody = tried(alerts[2:], declared(a_route("record", 'severity="ticket"')))
    (change,) = changes(alerts[2:], tried(alerts[2:], declared()), nobody)
    assert change.quiet_after == "route record tells nobody"


_LENGTHS = st.integers(1, 12 * 60).map(lambda minutes: timedelta(minutes=minutes, seconds=minutes % 7))
_ALERTS = st.lists(
    st.tuples(st.integers(0, 2 * 24 * 60), _LENGTHS, st.sampled_from(["page", "ticket"]), st.sampled_from("ab")),
    min_size=1, max_size=6,
)  # fmt: skip


@given(_ALERTS, st.integers(0, 90), st.integers(1, 40))
def test_when_routes_are_told_is_what_asking_at_every_interval_gives(
    drawn: list[tuple[int, timedelta, str, str]], wait: int, interval: int
) -> None:
    """The same by walking through every moment at which the group is told, as Alertmanager does."""
    alerts = sorted(
        (fired(start * MINUTE, length, severity=severity, part=f"{number}{part}", service=part)
         for number, (start, length, severity, part) in enumerate(drawn)),
        key=lambda each: each.start,
    )  # fmt: skip
    config = declared(
        a_route("tickets", 'severity="ticket"', muted_during=("night",)), a_route("pages", to="sre"), windows=(night(),)
    )
    assert config.root is not None
    root = replace(config.root, group_wait=wait * SECOND, group_interval=interval * MINUTE)
    router = Router(root, config.windows)
    expected = {
        number: _walked(alerts, number, router, root.group_wait, root.group_interval) for number in range(len(alerts))
    }  # type: ignore[arg-type]
    found = delivered(alerts, router, config.windows, INHIBITS, UNTIL)
    assert {each.alert: each.at for each in found.notices} == {k: v for k, v in expected.items() if v is not None}
    assert set(found.quiet) == {number for number, at in expected.items() if at is None}


def _walked(alerts: Sequence[Fired], number: int, router: Router, wait: timedelta, interval: timedelta) -> object:
    own = alerts[number]
    (routed,) = router.routes_of(own.labels)
    service = own.labels["service"]
    alike = [each for each in alerts if each.labels["service"] == service]
    group = [each for each in alike if router.routes_of(each.labels)[0].route == routed.route]
    waiting, at = list(group), None
    members: list[Fired] = []
    while waiting or members:
        if not members:
            members.append(waiting.pop(0))
            at = members[0].start + wait
        assert at is not None
        while waiting and waiting[0].start <= at:
            members.append(waiting.pop(0))
        for each in members:
            inhibited = each.labels["severity"] == "ticket" and any(
                other.labels["severity"] == "page" and other.labels["service"] == service and other.fires_at(at)
                for other in alerts
            )
            muted = routed.route == "tickets" and is_active(night(), at)
            if each is own and each.fires_at(at) and not inhibited and not muted:
                return at
        members = [each for each in members if each.fires_at(at)]
        at += interval
    return None
