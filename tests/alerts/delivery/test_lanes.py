"""Lanes: each channel apart, the most urgent first, again and again until it arrives or is given up."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.delivery.daemon import STRAYS_WAIT, LanesDaemon
from alerts.delivery.lanes import (
    FIRST_PAUSE,
    FIRST_REST,
    GIVE_UP_AFTER,
    LONGEST_PAUSE,
    LONGEST_PAUSE_OF_OLD,
    LONGEST_REST,
    pause_after,
    rest_after,
)
from alerts.delivery.rates import ALLOWANCES, Allowance
from alerts.ports import Notifier, RateLimited
from alerts.routing.model import Channel, ChannelKind, Receiver
from controlplane.model.incident import AttemptOutcome, Priority, TimelineKind
from controlplane.model.outbox import OutboxMessage
from controlplane.ports import HeldLease, LeaseLost, Permanent, Transient
from tests.alerts.delivery.house import CHAT, HOOK, MAIL, PAGER, SRE, House
from tests.alerts.snapshots import resolved

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def down() -> Exception:
    return Transient("503")


def short_lease(house: House) -> HeldLease:
    """One that has run out, as soon as somebody else wants it."""
    lease = house.store.leases.acquire("leader", "a", timedelta(milliseconds=200))
    assert lease is not None
    return lease


def depose(house: House) -> None:
    while house.store.leases.acquire("leader", "b", MINUTE) is None:
        pass


def test_an_incident_reaches_every_channel_once(house: House) -> None:
    house.open()
    assert house.run().delivered == 2
    assert house.run().delivered == 0
    assert [each.taken for each in house.providers.values()] == [[("i1", 1)], [("i1", 1)], [], []]
    assert house.backlog() == (0, 0)


def test_what_is_told_is_written_down_for_why_and_once_in_the_timeline(house: House) -> None:
    incident = house.open()
    house.run()
    house.tell(replace(incident, version=2))
    house.run()
    assert [(each.channel, each.outcome) for each in house.attempts_of("i1") if each.channel == PAGER.name] == [
        (PAGER.name, AttemptOutcome.DELIVERED)
    ] * 2
    told = [entry.text for entry in house.timeline("i1") if entry.kind is TimelineKind.TOLD]
    assert sorted(told) == ["pagerduty:SRE was told", "slack:#ops was told"]


def test_what_changes_while_it_waits_is_told_as_it_is_now(house: House) -> None:
    incident = house.open()
    for version in range(2, 8):
        house.tell(replace(incident, version=version))
    house.run()
    assert house.pager.taken == [("i1", 7)]


def test_a_slow_provider_holds_up_nobody_else(house: House) -> None:
    release, chat = threading.Event(), house.providers[CHAT.name]

    def wait() -> None:
        release.wait(10)

    chat.before = wait
    it = LanesDaemon(
        house.store,
        lambda: house.declared,
        house.notifier,
        house.rates,
        now=house.clock.now,
        random=lambda: 0.0,
        patience_seconds=0.05,
    )
    try:
        house.open()
        while not house.pager.taken:
            assert it.run_once(house.now).busy >= 1
        house.open("i2")
        while ("i2", 1) not in house.pager.taken:
            it.run_once(house.now)
        assert chat.taken == []
        release.set()
        while len(chat.taken) < 2:
            it.run_once(house.now)
        assert chat.calls == 2
    finally:
        release.set()
        it.close()


def test_the_most_urgent_leaves_first(house: House) -> None:
    for name, priority in (("low", Priority.P3), ("high", Priority.P0), ("middle", Priority.P2)):
        house.open(name, priority=priority)
    house.run()
    assert [name for name, _ in house.pager.taken] == ["high", "middle", "low"]


def test_a_page_that_comes_while_a_slow_batch_leaves_overtakes_it(house: House) -> None:
    for number in range(5):
        house.open(f"low{number}", priority=Priority.P3)

    def slow() -> None:
        house.clock.pass_(4 * SECOND)
        if house.pager.calls == 1:
            house.open("high", priority=Priority.P0)

    house.pager.before = slow
    house.run()
    assert [name for name, _ in house.pager.taken] == ["low0", "high", "low1", "low2", "low3", "low4"]


def test_a_failure_is_tried_again_after_a_pause_and_the_lane_rests(house: House) -> None:
    house.pager.errors = [Transient("503")]
    house.open("i1")
    house.open("i2")
    house.run()
    assert house.pager.taken == []
    assert house.lanes.failing() == {PAGER.name: house.now}
    house.clock.pass_(FIRST_REST / 2)
    house.run()
    assert house.pager.taken == [("i2", 1)]
    assert house.lanes.failing() == {}
    house.clock.pass_(FIRST_PAUSE)
    house.run()
    assert house.pager.taken == [("i2", 1), ("i1", 1)]
    outcomes = [each.outcome for each in house.attempts_of("i1") if each.channel == PAGER.name]
    assert outcomes == [AttemptOutcome.RETRIED, AttemptOutcome.DELIVERED]


def test_what_asks_nobody_does_not_say_that_a_provider_is_back(house: House) -> None:
    house.pager.down = down
    house.open("i1")
    house.run()
    began = house.now
    assert house.lanes.failing() == {PAGER.name: began}
    house.pager.shows = frozenset({("i2", 1)})  # its page there is as it should be: no call is made
    house.open("i2", priority=Priority.P0)
    house.clock.pass_(FIRST_REST)
    house.run()
    assert house.backlog() == (1, 0)
    assert house.lanes.failing() == {PAGER.name: began}


def test_while_a_provider_is_down_it_is_only_probed(house: House) -> None:
    house.pager.down = down
    for number in range(12):
        house.open(f"i{number}", priority=Priority.P2)
    house.pass_(timedelta(minutes=3), 10 * SECOND)
    assert 4 <= house.pager.calls <= 18
    assert len(house.providers[CHAT.name].taken) == 12


def test_what_a_provider_missed_is_there_soon_after_it_is_back(house: House) -> None:
    house.pager.down = down
    for number in range(8):
        house.open(f"i{number}", priority=Priority.P2)
    house.pass_(timedelta(minutes=30), 3 * MINUTE)
    house.pager.down = None
    house.pass_(2 * MINUTE, 20 * SECOND)
    assert sorted(house.pager.taken) == sorted((f"i{number}", 1) for number in range(8))


def test_one_message_that_always_fails_does_not_stop_the_others(house: House) -> None:
    house.open("poison", priority=Priority.P0)

    original = house.pager.show

    def show(snapshot, outside):  # type: ignore[no-untyped-def]
        if snapshot.incident.id == "poison":
            raise Transient("500")
        yield from original(snapshot, outside)

    house.pager.show = show  # type: ignore[method-assign]
    for number in range(5):
        house.open(f"i{number}", priority=Priority.P3)
    house.pass_(10 * SECOND, 2 * SECOND)
    assert len(house.pager.taken) == 5


def test_a_lasting_failure_is_a_dead_letter_at_once_and_the_lane_goes_on(house: House) -> None:
    house.pager.errors = [Permanent("400: no")]
    house.open("i1", priority=Priority.P2)
    house.open("i2", priority=Priority.P2)
    ran = house.run()
    assert (ran.given_up, house.pager.taken) == (1, [("i2", 1)])
    assert house.backlog() == (0, 1)
    assert "pagerduty:SRE could not be told: 400: no" in [entry.text for entry in house.timeline("i1")]


def test_it_is_given_up_after_a_day(house: House) -> None:
    house.pager.down = down
    house.open(priority=Priority.P2)
    house.run()
    house.clock.pass_(GIVE_UP_AFTER - SECOND)
    house.run()
    assert house.backlog() == (1, 0)
    house.clock.pass_(LONGEST_PAUSE_OF_OLD)
    house.run()
    assert house.backlog() == (0, 1)
    assert len([each for each in house.attempts_of("i1") if each.outcome is AttemptOutcome.GIVEN_UP]) == 1


def test_of_many_attempts_the_first_are_written_down_and_then_fewer(house: House) -> None:
    house.pager.down = down
    house.open(priority=Priority.P3)
    for _ in range(18):
        house.clock.pass_(MINUTE)
        house.run()
    kept = [each.attempt for each in house.attempts_of("i1") if each.outcome is AttemptOutcome.RETRIED]
    assert kept == [1, 2, 3, 4, 5, 6, 8, 16]


def test_a_pause_that_a_provider_asks_for_costs_no_attempt_and_holds_the_lane(house: House) -> None:
    house.pager.errors = [RateLimited("429", house.now + 20 * SECOND)]
    house.open("i1")
    house.open("i2")
    assert house.run().postponed == 1
    house.pass_(18 * SECOND, 6 * SECOND)
    assert house.pager.calls == 1
    house.pass_(2 * SECOND)
    assert len(house.pager.taken) == 2
    assert {each.attempt for each in house.attempts_of("i1")} == {1}


def test_a_defect_in_one_message_stops_neither_the_lane_nor_the_retries(house: House) -> None:
    house.pager.errors = [KeyError("a defect")]
    house.open("i1", priority=Priority.P2)
    house.open("i2", priority=Priority.P2)
    house.pass_(5 * SECOND)
    assert sorted(house.pager.taken) == [("i1", 1), ("i2", 1)]


def test_a_leader_that_was_deposed_says_so_and_writes_nothing(house: House) -> None:
    old = short_lease(house)
    house.open()
    depose(house)
    with pytest.raises(LeaseLost):
        house.lanes.run_once(house.now, old)
    assert (house.pager.calls, house.attempts_of("i1")) == (0, [])


def test_a_leader_deposed_during_a_delivery_leaves_it_to_the_next_one(house: House) -> None:
    old = short_lease(house)
    house.pager.before = lambda: depose(house)
    house.open()
    with pytest.raises(LeaseLost):
        house.lanes.run_once(house.now, old)
    house.clock.pass_(MINUTE)
    house.pager.before = lambda: None
    house.run()
    assert ("i1", 1) in house.pager.taken
    assert house.backlog() == (0, 0)


def test_after_a_crash_what_was_being_delivered_is_due_again_soon(house: House) -> None:
    class Killed(BaseException):
        pass

    house.pager.errors = [Killed()]  # type: ignore[list-item]
    house.open()
    with pytest.raises(Killed):
        house.run()
    house.pass_(25 * SECOND, 5 * SECOND)
    assert house.pager.taken == [("i1", 1)]


def test_a_channel_that_is_declared_later_takes_what_waits_for_it(house: House) -> None:
    full, house.declared = house.declared, replace(house.declared, receivers=())
    house.open()
    house.run()
    assert house.lanes.bury_strays(house.now) == 0
    assert house.pager.calls == 0
    house.declared = full
    house.clock.pass_(STRAYS_WAIT)
    house.run()
    assert house.pager.taken == [("i1", 1)]


def test_what_nobody_delivers_is_given_up_after_an_hour_and_what_others_deliver_is_left_alone(house: House) -> None:
    house.open()
    with house.store.transaction() as transaction:
        transaction.outbox.enqueue(OutboxMessage("c", "console", "k", {}), house.now)
    house.declared = replace(house.declared, receivers=(replace(SRE, channels=(CHAT,)),))
    house.clock.pass_(STRAYS_WAIT)
    assert house.lanes.bury_strays(house.now) == 1
    house.run()
    assert house.backlog() == (1, 1)


def test_a_channel_whose_settings_changed_gets_a_new_notifier(house: House) -> None:
    made: list[Channel] = []

    def notifier(channel: Channel) -> Notifier:
        made.append(channel)
        return house.providers[channel.name]

    it = LanesDaemon(
        house.store, lambda: house.declared, notifier, house.rates, now=house.clock.now, random=lambda: 0.0
    )
    it.run_once(house.now)
    it.run_once(house.now)
    other = replace(PAGER, settings={"routingKeyFrom": "OTHER"})
    house.declared = replace(house.declared, receivers=(Receiver("sre", (other, CHAT), fallback=(MAIL, HOOK)),))
    it.run_once(house.now)
    it.close()
    assert made == [PAGER, CHAT, MAIL, HOOK, other]


def test_a_channel_that_cannot_be_used_takes_no_other_with_it(house: House) -> None:
    def notifier(channel: Channel) -> Notifier | None:
        if channel.kind is ChannelKind.PAGERDUTY:
            raise Permanent("http is not allowed")
        return house.notifier(channel)

    it = LanesDaemon(
        house.store,
        lambda: house.declared,
        notifier,
        house.rates,
        now=house.clock.now,
        random=lambda: 0.0,
        patience_seconds=None,
    )
    house.open()
    assert it.run_once(house.now).delivered == 1
    it.close()


def test_a_channel_fails_only_while_something_waits_for_it_and_only_for_who_delivers(house: House) -> None:
    house.pager.down = down
    house.open(priority=Priority.P2)
    house.run()
    assert list(house.lanes.failing()) == [PAGER.name]
    house.clock.pass_(2 * MINUTE)
    assert house.lanes.failing() == {}  # another replica leads, and knows
    house.run()
    assert list(house.lanes.failing()) == [PAGER.name]
    house.clock.pass_(GIVE_UP_AFTER)
    house.run()
    house.run()
    assert house.lanes.failing() == {}


def test_attempts_and_waits_are_counted(house: House) -> None:
    house.open(priority=Priority.P0)
    house.clock.pass_(3 * SECOND)
    house.run()
    assert sorted(house.attempts) == [(PAGER.name, "delivered"), (CHAT.name, "delivered")]
    assert sorted(house.waited) == [("pagerduty", 0, 3.0), ("slack", 0, 3.0)]


def test_what_is_opened_outside_is_closed_even_when_nobody_says_so(house: House) -> None:
    incident = house.open()
    house.run()
    with house.store.transaction() as transaction:
        transaction.incidents.put(resolved(incident, house.now))
    assert house.closing.run_once(house.now).queued == 0  # whoever resolves it tells it, too
    house.pass_(2 * MINUTE, 20 * SECOND)
    for channel in (PAGER, CHAT):
        outside = house.outside("i1", channel)
        assert outside is not None
        assert outside.closed_at is not None
    assert house.pager.taken == [("i1", 1), ("i1", 2)]


def test_what_cannot_be_closed_is_tried_more_and_more_seldom_and_not_for_ever(house: House) -> None:
    incident = house.open()
    house.run()
    with house.store.transaction() as transaction:
        transaction.incidents.put(resolved(incident, house.now))
    for channel in (PAGER, CHAT):
        house.providers[channel.name].down = lambda: Permanent("404: it is gone")
    asked = []
    for hours in (1, 23, 24 * 29, 24 * 10):
        before, turns = house.pager.calls, min(hours, 4)
        for _ in range(turns):
            house.clock.pass_(timedelta(hours=hours) / turns)
            house.closing.run_once(house.now)
            house.run()
        asked.append(house.pager.calls - before)
    assert asked == [1, 4, 3, 0]


def test_what_nobody_can_close_any_more_is_left_alone(house: House) -> None:
    incident = house.open()
    house.run()
    with house.store.transaction() as transaction:
        transaction.incidents.put(resolved(incident, house.now))
    house.declared = replace(house.declared, receivers=())
    house.clock.pass_(MINUTE)
    closed = house.closing.run_once(house.now)
    assert (closed.left_open, closed.queued) == (2, 0)


def test_that_an_earlier_lease_was_lost_is_no_news_under_the_present_one(house: House) -> None:
    release, began = threading.Event(), threading.Event()

    def wait() -> None:
        began.set()
        release.wait(10)

    house.pager.before = wait
    it = LanesDaemon(
        house.store,
        lambda: house.declared,
        house.notifier,
        house.rates,
        now=house.clock.now,
        random=lambda: 0.0,
        patience_seconds=0.01,
    )
    old = short_lease(house)
    house.open()
    it.run_once(house.now, old)
    assert began.wait(10)
    depose(house)
    while (new := house.store.leases.acquire("leader", "b", MINUTE)) is None:
        pass
    release.set()
    while it.run_once(house.now, new).busy:
        pass
    it.close()


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True), st.timedeltas(timedelta(), timedelta(days=2)))
def test_pauses_grow_within_bounds(failed: int, chance: float, age: timedelta) -> None:
    longest = LONGEST_PAUSE if age < timedelta(hours=2) else LONGEST_PAUSE_OF_OLD
    assert FIRST_PAUSE / 2 <= pause_after(failed, age, chance) <= longest
    assert pause_after(failed, age, chance) <= pause_after(failed + 1, age, chance)
    assert FIRST_REST / 2 <= rest_after(failed + 1, chance) <= LONGEST_REST


def test_a_storm_leaves_the_reserve_to_critical_pages(house: House) -> None:
    small = House(house.store, ALLOWANCES | {ChannelKind.PAGERDUTY: Allowance(6, reserve=2)})
    for number in range(5):
        small.open(f"low{number}", priority=Priority.P2)
    small.run()
    assert len(small.pager.taken) == 4
    small.open("high", priority=Priority.P0)
    small.run()
    assert small.pager.taken[4:] == [("high", 1)]
    small.clock.pass_(MINUTE)
    small.run()
    assert len(small.pager.taken) == 6
    small.lanes.close()
