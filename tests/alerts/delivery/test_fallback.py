"""A critical page that does not arrive takes the next channel, within a minute, and only then."""

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.delivery.fallback import PATIENCE, next_channels
from alerts.routing.model import Channel, ChannelKind, Receiver
from controlplane.model.incident import AttemptOutcome, IncidentState, Priority, TimelineKind
from controlplane.ports import Permanent, Transient
from tests.alerts.delivery.house import CHAT, HOOK, MAIL, PAGER, SRE, House
from tests.alerts.snapshots import acknowledged, resolved

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
OTHER_WAY = AttemptOutcome.OTHER_WAY


def down() -> Exception:
    return Transient("503")


def test_a_critical_page_takes_the_next_channel_within_a_minute(house: House) -> None:
    house.pager.down = down
    house.open(priority=Priority.P0)
    house.run()
    house.pass_(MINUTE, 20 * SECOND)
    assert house.mail.taken == [("i1", 1)]
    assert house.providers[HOOK.name].taken == []
    ways = [each for each in house.attempts_of("i1") if each.outcome is OTHER_WAY]
    assert [(each.channel, each.detail) for each in ways] == [(PAGER.name, "by email:oncall")]
    told = [entry.text for entry in house.timeline("i1") if entry.kind is TimelineKind.TOLD]
    assert "pagerduty:SRE did not take the page: it goes to email:oncall" in told


def test_what_is_not_critical_waits(house: House) -> None:
    house.pager.down = down
    house.open(priority=Priority.P2)
    house.pass_(2 * MINUTE, 20 * SECOND)
    assert house.mail.calls == 0


def test_a_provider_that_is_back_in_time_needs_no_other_way(house: House) -> None:
    house.pager.down = down
    house.open()
    house.pass_(PATIENCE - 10 * SECOND, 5 * SECOND)
    house.pager.down = None
    house.pass_(2 * MINUTE, 20 * SECOND)
    assert (house.pager.taken, house.mail.calls) == ([("i1", 1)], 0)


def test_when_the_next_channel_is_down_too_the_one_after_it_is_taken(house: House) -> None:
    house.pager.down = house.mail.down = down
    house.open()
    house.pass_(2 * MINUTE, 15 * SECOND)
    assert house.providers[HOOK.name].taken == [("i1", 1)]


def test_a_page_that_is_refused_takes_the_next_channel_at_once(house: House) -> None:
    house.pager.errors = [Permanent("400")]
    house.open()
    house.run()
    house.run()
    assert house.mail.taken == [("i1", 1)]


@pytest.mark.parametrize("over", [acknowledged, resolved])
def test_nobody_is_woken_up_for_what_somebody_has_or_what_is_over(house: House, over: object) -> None:
    house.pager.down = down
    incident = house.open()
    house.run()
    house.tell(over(incident))  # type: ignore[operator]
    house.pass_(2 * MINUTE, 20 * SECOND)
    assert house.mail.calls == 0


def test_news_of_a_page_that_arrived_is_no_page(house: House) -> None:
    incident = house.open()
    house.run()
    house.pager.down = down
    house.tell(replace(incident, version=2))
    house.pass_(2 * MINUTE, 20 * SECOND)
    assert house.mail.calls == 0


def test_the_next_channel_hears_of_the_end_too(house: House) -> None:
    house.pager.down = down
    incident = house.open()
    house.pass_(MINUTE, 20 * SECOND)
    house.tell(resolved(incident, house.now))
    house.pass_(3 * MINUTE, 20 * SECOND)
    assert house.mail.taken == [("i1", 1), ("i1", 2)]
    outside = house.outside("i1", MAIL)
    assert outside is not None
    assert outside.closed_at is not None


def test_a_page_is_not_sent_another_way_twice(house: House) -> None:
    house.pager.down = down
    house.open()
    house.pass_(4 * MINUTE, 20 * SECOND)
    assert house.mail.taken == [("i1", 1)]
    assert len([each for each in house.attempts_of("i1") if each.outcome is OTHER_WAY]) == 1


def test_a_new_leader_decides_the_same(house: House) -> None:
    house.pager.down = down
    house.open()
    house.pass_(MINUTE, 20 * SECOND)
    house.fallbacks = type(house.fallbacks)(house.store, lambda: house.declared)
    house.pass_(MINUTE, 20 * SECOND)
    assert house.mail.taken == [("i1", 1)]


def test_somebody_whom_escalation_told_has_a_next_channel_too(house: House) -> None:
    lead_pager = Channel("pagerduty:LEAD", ChannelKind.PAGERDUTY)
    lead = Receiver("lead", (lead_pager,), fallback=(MAIL,))
    house.declared = replace(house.declared, receivers=(lead,))
    house.providers[lead_pager.name] = type(house.pager)(lead_pager.name, house.showing, house.rates.of(lead_pager))
    house.providers[lead_pager.name].down = down
    incident = house.open(receivers=("lead",))
    house.tell(incident, lead_pager)
    house.pass_(MINUTE, 20 * SECOND)
    assert house.mail.taken == [("i1", 1)]


def test_the_first_that_takes_the_priority_comes_next() -> None:
    only_p0 = replace(MAIL, priorities=frozenset({Priority.P0}))
    receiver = replace(SRE, fallback=(only_p0, HOOK))
    assert list(next_channels([receiver], PAGER.name, Priority.P0)) == [only_p0]
    assert list(next_channels([receiver], PAGER.name, Priority.P1)) == [HOOK]
    assert list(next_channels([receiver], HOOK.name, Priority.P1)) == []
    assert list(next_channels([receiver], "pagerduty:OTHER", Priority.P1)) == []
    assert list(next_channels([receiver, receiver], CHAT.name, Priority.P1)) == [HOOK, HOOK]


def test_an_acknowledgement_that_lapsed_is_a_page_again_only_for_who_was_never_told(house: House) -> None:
    house.pager.down = down
    incident = house.open()
    house.run()
    second = acknowledged(incident)
    house.tell(second)
    house.tell(replace(second, state=IncidentState.OPEN, version=3))
    house.pass_(MINUTE, 20 * SECOND)
    assert house.mail.taken == [("i1", 3)]


def test_a_page_that_nobody_took_is_a_page_again_when_an_acknowledgement_lapses(house: House) -> None:
    house.pager.down = down
    incident = house.open()
    house.run()
    second = acknowledged(incident)
    house.tell(second)
    house.pass_(MINUTE, 20 * SECOND)
    assert house.mail.calls == 0
    house.tell(replace(second, state=IncidentState.OPEN, version=3))
    house.pass_(2 * MINUTE, 20 * SECOND)
    assert house.mail.taken == [("i1", 3)]


def test_who_was_told_another_way_is_not_told_again_with_every_change(house: House) -> None:
    house.pager.down = down
    incident = house.open()
    house.pass_(MINUTE, 20 * SECOND)
    for version in (2, 3):
        house.tell(replace(incident, version=version))
        house.pass_(2 * MINUTE, 30 * SECOND)
    assert house.mail.taken == [("i1", 1)]
    assert len([each for each in house.attempts_of("i1") if each.outcome is OTHER_WAY]) == 1
