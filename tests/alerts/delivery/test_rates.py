"""Calls counted by key: never more than are allowed, and some kept for critical pages."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.delivery.rates import ALLOWANCES, LONGEST_HOLD, Allowance, NoRoom, Rate, Rates
from alerts.routing.model import Channel, ChannelKind
from controlplane.model.incident import Priority
from controlplane.model.outbox import LEAST_URGENT
from tests.alerts.kept_store import NOW, SetClock

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


@given(
    st.integers(1, 8),
    st.integers(0, 8),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, LEAST_URGENT)), max_size=25),
)
def test_in_no_minute_more_calls_leave_than_are_allowed(calls: int, reserve: int, asked: list[tuple[int, int]]) -> None:
    clock, reserve = SetClock(), min(reserve, calls)
    rate = Rate(Allowance(calls, reserve=reserve), clock.now)
    made: list[tuple[object, bool]] = []
    for pause, urgency in asked:
        now = clock.pass_(pause * SECOND)
        recent = [is_critical for at, is_critical in made if at > now - MINUTE]  # type: ignore[operator]
        is_critical = urgency < 2
        room = len(recent) < (calls if is_critical else calls - reserve)
        least = rate.least_urgent()
        assert room == (least is not None and urgency <= least)
        if room:
            rate.take(urgency)
            made.append((now, is_critical))
            continue
        with pytest.raises(NoRoom) as raised:
            rate.take(urgency)
        if calls > reserve or is_critical:
            clock.at = raised.value.until
            least = rate.least_urgent()
            assert least is not None
            assert urgency <= least


def test_the_reserve_is_for_critical_pages() -> None:
    rate = Rate(Allowance(10, reserve=4), lambda: NOW)
    for _ in range(6):
        rate.take(LEAST_URGENT)
    with pytest.raises(NoRoom):
        rate.take(Priority.P2.rank)
    assert rate.least_urgent() == Priority.P1.rank
    for _ in range(4):
        rate.take(Priority.P1.rank)
    assert rate.least_urgent() is None


def test_a_pause_that_was_asked_for_holds_everything_but_not_for_ever() -> None:
    clock = SetClock()
    rate = Rate(Allowance(10), clock.now)
    assert rate.hold(NOW + 20 * SECOND) == NOW + 20 * SECOND
    assert rate.hold(NOW + 10 * SECOND) == NOW + 20 * SECOND
    assert rate.least_urgent() is None
    clock.pass_(20 * SECOND)
    assert rate.least_urgent() == LEAST_URGENT
    assert rate.hold(NOW + timedelta(days=300)) == clock.at + LONGEST_HOLD


def test_a_clock_that_is_set_back_stops_nothing_for_long() -> None:
    clock = SetClock()
    rate = Rate(Allowance(1), clock.now)
    rate.take(0)
    clock.pass_(timedelta(days=-1))
    rate.take(0)


def test_channels_with_one_routing_key_share_its_calls() -> None:
    rates = Rates(lambda: NOW)
    first = Channel("pagerduty:A", ChannelKind.PAGERDUTY, {"routingKeyFrom": "KEY"})
    second = Channel("pagerduty:B", ChannelKind.PAGERDUTY, {"routingKeyFrom": "KEY"})
    other = Channel("pagerduty:C", ChannelKind.PAGERDUTY, {"routingKeyFrom": "OTHER"})
    assert rates.of(first) is rates.of(second)
    assert rates.of(first) is not rates.of(other)


def test_pagerduty_gets_fewer_calls_than_it_takes() -> None:
    assert ALLOWANCES[ChannelKind.PAGERDUTY].calls < 120
    assert set(ALLOWANCES) == set(ChannelKind)
