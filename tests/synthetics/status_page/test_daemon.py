"""From what was measured to what is told, turn by turn, on a real store."""

import pytest

from controlplane import conventions as names
from controlplane.check_names import EVENT_COMPONENT_CHANGED, EVENT_STATUS_OVERDUE, EVENT_STATUS_UPDATE
from controlplane.model.check import VerdictKind
from controlplane.model.public_status import ComponentStatus, Impact, IncidentStatus, PublicSnapshot
from controlplane.model.status_record import Channel, Subscriber, SubscriberState
from controlplane.ports import HeldLease, LeaseLost
from controlplane.store import SqlStore
from synthetics.status_page.daemon import StatusTurn
from synthetics.status_page.model import Component, TierText
from synthetics.status_page.snapshot import snapshot
from tests.synthetics.status_page.paging import DRAFTING, HOUR, MINUTE, NOW, World, a_page, an_alert


def seen(world: World) -> PublicSnapshot:
    with world.reading() as transaction:
        return snapshot(world.page, transaction, world.now)


def statuses(world: World) -> dict[str, str]:
    return {component.id: component.status.value for component in seen(world).components}


def told(world: World) -> list[tuple[str, list[str]]]:
    """Incidents, oldest first, with the statuses of their updates in order."""
    found = [(each.name, [update.status.value for update in reversed(each.updates)]) for each in seen(world).incidents]
    return found[::-1]


def test_an_outage_is_told_watched_and_ended(store: SqlStore) -> None:
    world = World(store, a_page())
    assert world.turn() == StatusTurn(changed=2)
    assert statuses(world) == {"api": "operational", "login": "operational"}
    world.gateway = VerdictKind.GLOBAL
    assert world.turn(MINUTE) == StatusTurn(changed=1, drafted=1, published=1)
    assert statuses(world)["api"] == "major_outage"
    assert seen(world).indicator is Impact.CRITICAL
    (incident,) = seen(world).incidents
    assert (incident.name, incident.status) == ("Outage of API", IncidentStatus.INVESTIGATING)
    assert incident.next_update_by == world.now + 15 * MINUTE
    assert incident.updates[0].body == (
        "API does not work at the moment. We noticed at 13:01 CET, and are looking for the cause. "
        "Next update by 13:16 CET."
    )
    world.gateway = VerdictKind.UP
    world.turn(MINUTE)
    world.turns(10 * MINUTE)
    assert told(world) == [("Outage of API", ["investigating", "monitoring", "resolved"])]
    (incident,) = seen(world).incidents
    assert (incident.status, incident.resolved_at, incident.next_update_by) == (
        IncidentStatus.RESOLVED,
        world.now,
        None,
    )
    assert statuses(world)["api"] == "operational"
    assert world.turn(MINUTE) == StatusTurn()


def test_a_turn_that_is_repeated_changes_nothing(store: SqlStore) -> None:
    world = World(store, a_page())
    world.turn()
    world.gateway = VerdictKind.REGIONAL
    world.turn(MINUTE)
    assert world.turn() == StatusTurn()
    assert len(told(world)) == 1


def test_the_public_hears_at_fixed_times_and_then_every_hour(store: SqlStore) -> None:
    world = World(store, a_page())
    world.turn()
    world.gateway = VerdictKind.GLOBAL
    world.turn(MINUTE)
    began = world.now
    world.turns(3 * HOUR, 5 * MINUTE)
    (incident,) = seen(world).incidents
    passed = [(update.display_at - began) // MINUTE for update in reversed(incident.updates)]
    assert passed == [0, 15, 30, 45, 60, 120, 180]
    with world.reading() as transaction:
        assert transaction.events.after(0, 100, (EVENT_STATUS_OVERDUE,)) == []
        assert len(transaction.events.after(0, 100, (EVENT_STATUS_UPDATE,))) == 7
        assert len(transaction.events.after(0, 100, (EVENT_COMPONENT_CHANGED,))) == 3
    assert "We are still working on it" in incident.updates[0].body


def test_what_needs_approval_is_drafted_and_its_absence_is_told_once(store: SqlStore) -> None:
    world = World(store, a_page(DRAFTING))
    world.turn()
    world.gateway = VerdictKind.GLOBAL
    done = world.turn(MINUTE)
    assert (done.drafted, done.published) == (1, 0)
    assert told(world) == []
    done = world.turns(40 * MINUTE, 2 * MINUTE)
    assert (done.drafted, done.published, done.overdue) == (0, 0, 1)
    with world.reading() as transaction:
        (event,) = transaction.events.after(0, 100, (EVENT_STATUS_OVERDUE,))
        assert event.event.occurred_at - NOW == 17 * MINUTE
        (message,) = [each.message for each in _due(store, world)]
    assert message.channel == "console"
    assert "the first word on “Outage of API” is overdue" in str(message.payload["annotations"])


def _due(store: SqlStore, world: World) -> list:  # type: ignore[type-arg]
    with store.transaction() as transaction:
        return transaction.outbox.claim(10, world.now)


def test_components_that_fail_soon_after_one_another_are_one_incident(store: SqlStore) -> None:
    world = World(store, a_page())
    world.turn()
    world.gateway = VerdictKind.REGIONAL
    world.turn(MINUTE)
    world.login = VerdictKind.GLOBAL
    world.turn(5 * MINUTE)
    (incident,) = seen(world).incidents
    assert incident.component_ids == ("api", "login")
    assert incident.impact is Impact.CRITICAL


def test_components_that_fail_much_later_are_another_incident(store: SqlStore) -> None:
    world = World(store, a_page())
    world.turn()
    world.gateway = VerdictKind.REGIONAL
    world.turn(MINUTE)
    world.login = VerdictKind.GLOBAL
    world.turn(11 * MINUTE)
    assert [name for name, _ in told(world)] == ["Partial outage of API", "Outage of Sign-in"]


def test_a_short_fault_that_nobody_approved_leaves_no_trace(store: SqlStore) -> None:
    world = World(store, a_page(DRAFTING))
    world.turn()
    world.gateway = VerdictKind.GLOBAL
    world.turn(MINUTE)
    world.gateway = VerdictKind.UP
    world.turns(12 * MINUTE)
    assert seen(world).incidents == ()
    with world.reading() as transaction:
        assert transaction.status.waiting("shop") == []
        (incident,) = transaction.status.incidents("shop")
        assert incident.resolved_at is not None


def test_a_fault_that_comes_back_is_told_in_the_same_incident(store: SqlStore) -> None:
    world = World(store, a_page())
    world.turn()
    for verdict in (VerdictKind.GLOBAL, VerdictKind.UP, VerdictKind.GLOBAL):
        world.gateway = verdict
        world.turn(MINUTE)
    assert told(world) == [("Outage of API", ["investigating", "monitoring", "investigating"])]
    assert seen(world).incidents[0].monitoring_at is None


def test_what_is_not_known_neither_begins_nor_ends_an_incident(store: SqlStore) -> None:
    world = World(store, a_page())
    world.turn()
    world.login = VerdictKind.UNKNOWN
    world.turn(MINUTE)
    assert statuses(world)["login"] == "unknown"
    assert told(world) == []
    world.login = VerdictKind.GLOBAL
    world.turn(MINUTE)
    world.login = VerdictKind.UNKNOWN
    world.turns(14 * MINUTE, 2 * MINUTE)
    assert told(world) == [("Outage of Sign-in", ["investigating"])]


def test_alerts_and_tiers_are_told_in_the_words_of_the_file_only(store: SqlStore) -> None:
    texts = (TierText(1, "Exports wait until the evening."), TierText(4, "Searches reach two steps far.", ("api",)))
    world = World(store, a_page(tiers=texts))
    with store.transaction() as transaction:
        transaction.alerts.record(an_alert(), NOW)
    world.event(names.EVENT_TIER_CHANGED, {"from": 0, "to": "5"})
    world.turn()
    shown = seen(world)
    api, login = shown.components
    assert api.status is ComponentStatus.DEGRADED
    assert api.reduced is not None
    assert (api.reduced.text, api.reduced.tier, api.reduced.since) == ("Searches reach two steps far.", 5, NOW)
    assert login.reduced is not None
    assert login.reduced.text == "Exports wait until the evening."
    assert all(word not in repr(shown) for word in ("pod", "gateway-7f", "10.1.2.3", "secret", "eu", "reads"))
    world.event(names.EVENT_TIER_CHANGED, {"from": 5, "to": 0}, NOW + MINUTE)
    world.turn(2 * MINUTE)
    assert seen(world).components[0].reduced is None


def test_of_what_nobody_measures_no_uptime_is_claimed(store: SqlStore) -> None:
    world = World(store, a_page(components=(Component("api", "API"),)))
    world.turn()
    world.turn(MINUTE)
    assert [(each.status.value, each.uptime) for each in seen(world).components] == [("operational", None)]


def test_a_daemon_that_leads_no_more_changes_nothing(store: SqlStore) -> None:
    world = World(store, a_page())
    lost = HeldLease("leader", "somebody-else", 3)
    with pytest.raises(LeaseLost):
        world.daemon.run_once(NOW, lost)
    with world.reading() as transaction:
        assert transaction.status.states("shop") == []


def test_when_it_gets_worse_customers_are_told_at_once(store: SqlStore) -> None:
    world = World(store, a_page())
    world.turn()
    world.gateway = VerdictKind.REGIONAL
    world.turn(MINUTE)
    world.gateway = VerdictKind.GLOBAL
    assert world.turn(MINUTE).published == 1
    (incident,) = seen(world).incidents
    assert (incident.impact, len(incident.updates)) == (Impact.CRITICAL, 2)
    assert incident.updates[0].affected[0].new is ComponentStatus.MAJOR
    assert world.turn(MINUTE) == StatusTurn()


def test_a_draft_that_nobody_approved_follows_what_happens(store: SqlStore) -> None:
    world = World(store, a_page(DRAFTING))
    world.turn()
    world.gateway = VerdictKind.REGIONAL
    world.turn(MINUTE)
    world.gateway = VerdictKind.GLOBAL
    assert world.turn(MINUTE).drafted == 1
    with world.reading() as transaction:
        (incident,) = transaction.status.incidents(world.page.name, world.now)
        (draft,) = transaction.status.waiting(world.page.name)
    assert incident.name == "Outage of API"
    assert draft.body.startswith("API does not work at the moment.")


def test_a_message_about_one_part_says_how_the_whole_page_is(store: SqlStore) -> None:
    world = World(store, a_page(DRAFTING))
    world.turn()
    with store.transaction() as transaction:
        transaction.status.put_subscriber(
            Subscriber(
                "shop", "s1", Channel.WEBHOOK, "https://w.example", SubscriberState.ACTIVE, "n", "", NOW, NOW, NOW
            )
        )
    found = []
    for gateway, login in (("GLOBAL", "UP"), ("GLOBAL", "GLOBAL"), ("UP", "GLOBAL"), ("UP", "UNKNOWN"), ("UP", "UP")):
        world.gateway, world.login = VerdictKind[gateway], VerdictKind[login]
        world.turn(MINUTE)
        with store.transaction() as transaction:
            for claimed in transaction.outbox.claim(10, world.now):
                body = claimed.message.payload["body"]
                assert isinstance(body, dict)
                assert isinstance(body["page"], dict)
                found.append((body["page"]["status_indicator"], body["page"]["status_description"]))
                transaction.outbox.delivered(claimed.message.id, world.now)
    assert found == [
        ("critical", "Major Service Outage"),
        ("critical", "Major Service Outage"),
        ("critical", "Major Service Outage"),  # one is well again, the other is not
        ("none", "Status Partly Unknown"),
        ("none", "All Systems Operational"),
    ]
