"""Many incidents in Slack while calls fail at random and processes die at random: what is there in the end."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from alerts.adapters.in_time import InTime
from alerts.adapters.slack import SlackNotifier, SlackTidying
from alerts.adapters.slack_api import SlackApi
from alerts.delivery.showing import Shown
from alerts.model import Snapshot
from alerts.telling import message_of
from controlplane.model.incident import Incident, OutsideObject
from controlplane.ports import Transient
from tests.alerts.adapters.telling import Book
from tests.alerts.messages.samples import INCIDENT, a_line, a_snapshot, acknowledged, resolved
from tests.outside.failing import Failure
from tests.outside.slack import CHANNEL, CHANNEL_ID, TOKEN, SlackServer

LANE = "slack:critical"
FAILURES = (Failure.LOST_ANSWER, Failure.RESET, Failure.SERVER_ERROR, Failure.TOO_MANY, Failure.GARBAGE)
VERSIONS = 4


class _Killed(BaseException):
    """The process died: whatever it did last is done, and nobody heard of it."""


class Campaign:
    """One process after the other delivers; each dies or is failed sooner or later."""

    def __init__(self, slack: SlackServer, book: Book, seed: int, channel: str) -> None:
        self.slack, self.book, self.channel = slack, book, channel
        self.chance = random.Random(seed)
        self.deaths = 0
        self.notifier = self._born()

    def incident(self, number: int) -> None:
        """From its beginning to its end."""
        stages = (INCIDENT, replace(INCIDENT, price=None), acknowledged(), resolved())
        lines = tuple(a_line(n, f"line {n} of {number}.") for n in range(VERSIONS * 2))
        for version, stage in enumerate(stages, 1):
            incident = replace(stage, id=f"i{number}", key=f"k{number}", number=number, version=version)
            snapshot = a_snapshot(incident, timeline=lines[: version * 2])
            self.book.snapshots[incident.id] = snapshot
            if self.chance.random() < 0.7 or stage is stages[-1]:  # else the next version takes its place
                self._delivered(incident)

    def _delivered(self, incident: Incident) -> None:
        for _ in range(200):
            if self.chance.random() < 0.4:
                self.slack.fail(self.chance.choice(FAILURES))
            try:
                self._attempt(incident)
            except Transient:
                self.slack.recover()
                self.book.pass_time(timedelta(seconds=1))  # the outbox waits before it tries again
                self.slack.at(self.book.now.timestamp())
            except _Killed:
                self.deaths += 1
                self.notifier = self._born()
            else:
                return
        pytest.fail("it was never delivered")

    def _attempt(self, incident: Incident) -> None:
        message = message_of(incident, LANE)

        def show(snapshot: Snapshot, outside: OutsideObject | None) -> Iterator[Shown]:
            for each in self.notifier.show(snapshot, outside):
                yield each
                self._may_die()

        self.book.showing().deliver(message, LANE, show)

    def _may_die(self) -> None:
        if self.chance.random() < 0.15:
            raise _Killed

    def _born(self) -> SlackNotifier:
        may_die = self._may_die

        class Mortal(SlackApi):
            def _call(self, ask: Callable[[str], Any], in_time: InTime | None = None) -> Mapping[str, object]:
                found = super()._call(ask, in_time)
                may_die()
                return found

        api = Mortal(lambda: TOKEN, self.book.rate(10**6), now=self.book.clock, url=self.slack.base_url)
        return SlackNotifier(LANE, self.channel, api, self.book.showing(), with_buttons=True)


def _check(campaign: Campaign, incidents: int) -> None:
    slack = campaign.slack
    shown = Counter(each.metadata["event_payload"]["incident"] for each in slack.top())
    assert shown == {f"i{number}": 1 for number in range(incidents)}
    for message in slack.top():
        number = message.metadata["event_payload"]["incident"][1:]
        assert "Resolved by ann" in json.dumps(message.blocks)
        told = json.dumps([reply.blocks for reply in slack.thread(message.ts)])
        assert [told.count(f"line {n} of {number}.") for n in range(VERSIONS * 2)] == [1] * (VERSIONS * 2)
        outside = campaign.book.outside(replace(INCIDENT, id=f"i{number}"), LANE)
        assert outside is not None
        assert (outside.outside_id, outside.told_version) == (message.ts, VERSIONS)
        assert outside.closed_at is not None


def _run(slack: SlackServer, book: Book, seed: int, incidents: int, channel: str) -> Campaign:
    slack.at(book.now.timestamp())
    slack.retry_after = 0
    campaign = Campaign(slack, book, seed, channel)
    for number in range(incidents):
        campaign.incident(number)
    return campaign


def test_whatever_fails_each_incident_is_one_message_and_each_line_is_there_once(
    slack: SlackServer, book: Book
) -> None:
    campaign = _run(slack, book, 7, 3, CHANNEL_ID)
    _check(campaign, 3)
    assert campaign.deaths
    assert slack.deleted == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(40))
def test_a_long_campaign(slack: SlackServer, book: Book, seed: int) -> None:
    _check(_run(slack, book, seed, 50, CHANNEL_ID), 50)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_a_long_campaign_where_the_channels_id_is_not_known(slack: SlackServer, book: Book, seed: int) -> None:
    """A second message may be posted after a crash; it is removed at once, or when it is looked for."""
    campaign = _run(slack, book, seed, 50, CHANNEL)
    slack.recover()  # a failure may be left that nobody met
    for number in range(50):
        with book.store.transaction() as transaction:
            known = transaction.telling.object_of(f"i{number}", LANE)
            assert known is not None
            ours = replace(INCIDENT, id=f"i{number}", key=f"k{number}", version=1, opened_at=known.opened_at)
            transaction.incidents.put(ours)
    api = SlackApi(lambda: TOKEN, book.rate(), now=book.clock, url=slack.base_url)
    tidying = SlackTidying(book.store, lambda lane: api)
    for _ in range(50):
        tidying.run_once(book.now + timedelta(minutes=3))
    shown = Counter(each.metadata["event_payload"]["incident"] for each in slack.top())
    assert set(shown.values()) == {1}
    assert len(shown) == 50
    assert len(slack.deleted) <= campaign.deaths
