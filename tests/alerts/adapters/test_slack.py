"""Incidents in Slack, through slack-sdk and to a server that takes what Slack takes."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from alerts.adapters.in_time import InTime
from alerts.adapters.slack import SlackNotifier, SlackPeople, SlackTidying
from alerts.adapters.slack_api import ContentRefused, Refused, SlackApi
from alerts.delivery.showing import Shown
from alerts.model import Snapshot
from alerts.ports import RateLimited
from alerts.slack import limits
from alerts.slack.marks import Mark
from alerts.slack.message import SlackMessage
from controlplane.model.incident import OutsideObject
from controlplane.model.outbox import OutboxMessage
from controlplane.ports import Permanent, Transient
from tests.alerts.adapters.telling import Book
from tests.alerts.messages.samples import INCIDENT, a_line, a_snapshot, acknowledged, an_alert, resolved
from tests.outside.failing import Asked, Failure
from tests.outside.slack import CHANNEL, CHANNEL_ID, TOKEN, Message, SlackServer

LANE = "slack:critical"
MINUTE = timedelta(minutes=1)


def an_api(
    slack: SlackServer, book: Book, *, token: str | None = TOKEN, seconds: float = 5, calls: int = 1000
) -> SlackApi:
    return SlackApi(lambda: token, book.rate(calls), now=book.clock, url=slack.base_url, call_seconds=seconds)


def a_notifier(slack: SlackServer, book: Book, api: SlackApi | None = None, channel: str = CHANNEL) -> SlackNotifier:
    return SlackNotifier(LANE, channel, api or an_api(slack, book), book.showing(), with_buttons=True)


def only(method: str) -> Callable[[Asked], bool]:
    return lambda asked: asked.path.startswith(f"/api/{method}")


@pytest.fixture(autouse=True)
def its_clock(slack: SlackServer, book: Book) -> None:
    slack.at(book.now.timestamp())


def the_message(slack: SlackServer) -> Message:
    (message,) = slack.top()
    return message


def shown(message: Message) -> str:
    return json.dumps(message.blocks, ensure_ascii=False)


def test_an_incident_is_one_message_with_its_details_in_the_thread(slack: SlackServer, book: Book) -> None:
    a_notifier(slack, book).notify(book.say(a_snapshot(), LANE))
    message = the_message(slack)
    assert message.channel == CHANNEL_ID
    assert "P1 INC-7: graphql-gateway burns" in shown(message)
    assert message.metadata == Mark(INCIDENT.id, LANE).metadata()
    (reply,) = slack.thread(message.ts)
    assert "It was opened" in shown(reply)
    outside = book.outside(INCIDENT, LANE)
    assert outside is not None
    assert (outside.outside_id, outside.place, outside.told_version) == (message.ts, CHANNEL_ID, INCIDENT.version)
    assert outside.url == f"https://intelgraph.slack.com/archives/{CHANNEL_ID}/p{message.ts.replace('.', '')}"
    assert outside.closed_at is None


def test_news_change_the_message_in_place_and_add_to_its_thread(slack: SlackServer, book: Book) -> None:
    notifier = a_notifier(slack, book)
    first, second = a_line(1, "It was opened"), a_line(2, "ann acknowledged it")
    notifier.notify(book.say(a_snapshot(), LANE))
    notifier.notify(book.say(a_snapshot(acknowledged(), timeline=(first, second)), LANE))
    message = the_message(slack)
    assert "Acknowledged by ann" in shown(message)
    assert [("opened" in shown(each), "ann acknowledged it" in shown(each)) for each in slack.thread(message.ts)] == [
        (True, False), (False, True),
    ]  # fmt: skip
    notifier.notify(book.say(a_snapshot(resolved(), timeline=(first, second)), LANE))
    assert "Resolved by ann" in shown(the_message(slack))
    outside = book.outside(INCIDENT, LANE)
    assert outside is not None
    assert outside.closed_at == book.now


def test_the_same_message_twice_changes_nothing(slack: SlackServer, book: Book) -> None:
    notifier = a_notifier(slack, book)
    message = book.say(a_snapshot(), LANE)
    notifier.notify(message)
    calls = len(slack.asked)
    notifier.notify(message)
    assert len(slack.asked) == calls


def test_an_incident_that_is_over_already_is_told_nevertheless(slack: SlackServer, book: Book) -> None:
    a_notifier(slack, book).notify(book.say(a_snapshot(resolved()), LANE))
    assert "Resolved by ann" in shown(the_message(slack))


@pytest.mark.parametrize("failure", [Failure.LOST_ANSWER, Failure.RESET, Failure.SERVER_ERROR, Failure.GARBAGE])
def test_after_a_failure_there_is_one_message_whether_it_had_arrived_or_not(
    slack: SlackServer, book: Book, failure: Failure
) -> None:
    notifier = a_notifier(slack, book, channel=CHANNEL_ID)
    message = book.say(a_snapshot(), LANE)
    slack.fail(failure, only=only("chat.postMessage"))
    with pytest.raises(Transient):
        notifier.notify(message)
    a_notifier(slack, book, channel=CHANNEL_ID).notify(message)  # by another process
    assert len(slack.thread(the_message(slack).ts)) == 1
    assert slack.deleted == []


def test_a_message_of_doubtful_fate_in_a_channel_of_unknown_id_is_posted_again_and_its_twin_removed(
    slack: SlackServer, book: Book
) -> None:
    message = book.say(a_snapshot(), LANE)
    slack.fail(Failure.LOST_ANSWER, only=only("chat.postMessage"))
    with pytest.raises(Transient):
        a_notifier(slack, book).notify(message)
    a_notifier(slack, book).notify(message)
    assert len(slack.deleted) == 1
    outside = book.outside(INCIDENT, LANE)
    assert outside is not None
    assert outside.outside_id == the_message(slack).ts


def test_a_channel_in_which_something_was_shown_before_is_looked_through_by_every_process(
    slack: SlackServer, book: Book
) -> None:
    a_notifier(slack, book).notify(book.say(a_snapshot(), LANE))
    message = book.say(a_snapshot(replace(INCIDENT, id="another")), LANE)
    slack.fail(Failure.LOST_ANSWER, only=only("chat.postMessage"))
    with pytest.raises(Transient):
        a_notifier(slack, book).notify(message)
    a_notifier(slack, book).notify(message)
    assert len(slack.top()) == 2
    assert slack.deleted == []


def test_doubt_stays_while_slack_asks_for_a_pause(slack: SlackServer, book: Book) -> None:
    message = book.say(a_snapshot(), LANE)
    slack.fail(Failure.LOST_ANSWER, Failure.TOO_MANY, only=only("chat.postMessage"))
    with pytest.raises(Transient):
        a_notifier(slack, book).notify(message)
    with pytest.raises(RateLimited):
        a_notifier(slack, book).notify(message)
    a_notifier(slack, book).notify(message)
    assert len(slack.top()) == 1


def test_a_crash_at_any_point_leaves_one_message_and_every_line_once(slack: SlackServer, book: Book) -> None:
    """It is cut off after each thing that it does, then done again by another process."""
    for cut in range(12):
        incident = replace(INCIDENT, id=f"incident-{cut}")
        snapshot = a_snapshot(incident, timeline=(a_line(1, f"opened {cut}"), a_line(2, f"more {cut}")))
        message = book.say(snapshot, LANE)
        with pytest.raises(_Crash):
            _crashing_after(cut, slack, book, message)
        a_notifier(slack, book, channel=CHANNEL_ID).notify(message)
        mine = [each for each in slack.top() if each.metadata["event_payload"]["incident"] == incident.id]
        assert len(mine) == 1, cut
        replies = slack.thread(mine[0].ts)
        assert sum(f"opened {cut}" in shown(each) for each in replies) == 1, cut


class _Crash(BaseException):
    pass


def _crashing_after(steps: int, slack: SlackServer, book: Book, message: OutboxMessage) -> None:
    """Calls of Slack and writes of what is outside are steps; the last one is done, and nobody hears of it."""
    left = [steps]

    def step() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise _Crash

    class Api(SlackApi):
        def _call(self, ask: Callable[[str], Any], in_time: InTime | None = None) -> Mapping[str, object]:
            found = super()._call(ask, in_time)
            step()
            return found

    api = Api(lambda: TOKEN, book.rate(), now=book.clock, url=slack.base_url)
    notifier = a_notifier(slack, book, api, CHANNEL_ID)

    def show(snapshot: Snapshot, outside: OutsideObject | None) -> Iterator[Shown]:
        for each in notifier.show(snapshot, outside):
            yield each
            step()

    book.showing().deliver(message, LANE, show)
    raise _Crash


def test_what_slack_says_decides_what_becomes_of_it(slack: SlackServer, book: Book) -> None:
    message = book.say(a_snapshot(), LANE)
    slack.retry_after = 7
    slack.fail(Failure.TOO_MANY, only=only("chat.postMessage"))
    with pytest.raises(RateLimited) as limited:
        a_notifier(slack, book).notify(message)
    assert limited.value.until == book.now + timedelta(seconds=7)
    with pytest.raises(Refused, match="invalid_auth: the token is not valid"):
        a_notifier(slack, book, an_api(slack, book, token="xoxb-old")).notify(message)
    with pytest.raises(Refused, match="the token is not set"):
        a_notifier(slack, book, an_api(slack, book, token=None)).notify(message)
    with pytest.raises(Refused, match="channel_not_found"):
        a_notifier(slack, book, channel="#nowhere").notify(message)
    assert slack.top() == []
    a_notifier(slack, book).notify(message)
    assert slack.calls("conversations.history") == 0  # nothing was in doubt


@pytest.mark.parametrize("failure", [Failure.TIMEOUT, Failure.SLOW_BODY, Failure.SLOW_HEAD])
def test_a_slack_that_dawdles_is_left_behind(slack: SlackServer, book: Book, failure: Failure) -> None:
    slack.fail(failure)
    with pytest.raises(Transient, match="did not answer within"):
        a_notifier(slack, book, an_api(slack, book, seconds=0.2)).notify(book.say(a_snapshot(), LANE))


def test_no_more_is_begun_while_many_calls_hang(slack: SlackServer, book: Book) -> None:
    slack.fail_always(Failure.TIMEOUT)
    api = an_api(slack, book, seconds=0.01)
    for number in range(9):
        with pytest.raises(Transient, match="still hang" if number == 8 else "did not answer"):
            api.permalink(CHANNEL_ID, "1.0")


def test_the_rate_is_kept_before_slack_must_ask_for_it(slack: SlackServer, book: Book) -> None:
    notifier = a_notifier(slack, book, an_api(slack, book, calls=1))
    message = book.say(a_snapshot(), LANE)
    with pytest.raises(RateLimited):  # its thread would have been the second call
        notifier.notify(message)
    assert slack.calls("chat.postMessage") == 1
    book.pass_time(MINUTE)
    notifier.notify(message)
    assert slack.calls("chat.update") == 0  # only the thread was behind
    assert len(slack.thread(the_message(slack).ts)) == 1


def test_news_are_not_lost_over_a_form_that_slack_refuses(
    slack: SlackServer, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alerts.slack.message._SAID", 20_000)
    monkeypatch.setattr(limits, "ALL_BLOCKS", 100_000)  # as if Slack had become stricter than it says
    alert = an_alert(annotations={"description": "x" * 8_000})
    a_notifier(slack, book).notify(book.say(a_snapshot(alerts=(alert,)), LANE))
    assert slack.refused[0] == ("chat.postMessage", "invalid_blocks")
    assert "Firing for 12 min" in shown(the_message(slack))


def test_what_slack_refuses_in_any_form_is_given_up(slack: SlackServer, book: Book) -> None:
    book.snapshots[INCIDENT.id] = a_snapshot()
    api = an_api(slack, book)

    def refuse(*args: object, **named: object) -> tuple[str, str]:
        raise ContentRefused("no")

    api.post = refuse  # type: ignore[method-assign]
    with pytest.raises(Permanent):
        a_notifier(slack, book, api).notify(book.say(a_snapshot(), LANE))


def test_a_message_that_somebody_deleted_is_posted_anew_with_its_whole_thread(slack: SlackServer, book: Book) -> None:
    notifier = a_notifier(slack, book)
    notifier.notify(book.say(a_snapshot(), LANE))
    slack.messages.clear()
    notifier.notify(book.say(a_snapshot(acknowledged()), LANE))
    message = the_message(slack)
    assert "Acknowledged by ann" in shown(message)
    assert "It was opened" in shown(slack.thread(message.ts)[0])


def test_a_line_that_was_told_though_the_answer_was_lost_is_not_told_again(slack: SlackServer, book: Book) -> None:
    notifier = a_notifier(slack, book)
    message = book.say(a_snapshot(), LANE)
    slack.fail(Failure.LOST_ANSWER, only=_a_reply)
    with pytest.raises(Transient):
        notifier.notify(message)
    notifier.notify(message)
    assert len(slack.thread(the_message(slack).ts)) == 1
    assert slack.calls("conversations.replies") == 1


def _a_reply(asked: Asked) -> bool:
    return b'"thread_ts"' in asked.body


def test_without_the_right_to_read_history_it_is_rather_told_twice_than_never(slack: SlackServer, book: Book) -> None:
    slack.scopes.discard("channels:history")
    message = book.say(a_snapshot(), LANE)
    slack.fail(Failure.LOST_ANSWER, only=only("chat.postMessage"))
    with pytest.raises(Transient):
        a_notifier(slack, book).notify(message)
    a_notifier(slack, book).notify(message)
    assert len(slack.top()) == 2


def test_a_message_about_no_incident_is_given_up(slack: SlackServer, book: Book) -> None:
    with pytest.raises(Permanent, match="no incident"):
        a_notifier(slack, book).notify(OutboxMessage("m", LANE, "gone", {"incident": "gone"}))


def test_neither_the_token_nor_a_body_is_logged(
    slack: SlackServer, book: Book, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        slack.fail(Failure.RESET)
        with pytest.raises(Transient) as told:
            a_notifier(slack, book).notify(book.say(a_snapshot(), LANE))
        a_notifier(slack, book).notify(book.say(a_snapshot(), LANE))
    assert TOKEN not in caplog.text + str(told.value)
    assert "error budget" not in caplog.text


def test_people_are_asked_for_by_name_once_and_who_is_unknown_not_all_the_time(slack: SlackServer, book: Book) -> None:
    clock = [0.0]
    people = SlackPeople(lambda lane: an_api(slack, book) if lane == LANE else None, lambda: clock[0])
    assert [people.name(LANE, "UANN"), people.name(LANE, "UANN"), people.name("slack:gone", "UBEN")] == [
        "ann",
        "ann",
        "",
    ]
    assert [people.name(LANE, "UCY") for _ in range(3)] == [""] * 3
    assert slack.calls("users.info") == 2
    clock[0], slack.users["UCY"] = 601, "cy"
    assert people.name(LANE, "UCY") == "cy"


@pytest.fixture
def doubled(slack: SlackServer, book: Book) -> tuple[Message, Message]:
    """A message that is ours, and the one that a paused leader posted as well, a moment later."""
    book.keep(replace(INCIDENT, opened_at=book.now, version=1))
    a_notifier(slack, book).notify(book.say(a_snapshot(), LANE))
    ours = the_message(slack)
    api = an_api(slack, book)
    for _ in range(2):
        ts, place = api.post(CHANNEL, _as_posted(ours), Mark(INCIDENT.id, LANE), urgency=1)
    reply = slack.thread(ours.ts)[0]
    twin_mark = Mark(INCIDENT.id, LANE, reply.metadata["event_payload"]["reply"])
    api.post(place, _as_posted(reply), twin_mark, urgency=1, thread=ours.ts)
    return ours, next(each for each in slack.messages if each.ts == ts)


def _as_posted(message: Message) -> SlackMessage:
    return SlackMessage(message.text, tuple(message.blocks))


def test_twins_are_removed_and_nothing_else(slack: SlackServer, book: Book, doubled: tuple[Message, Message]) -> None:
    others = replace(INCIDENT, id="other", key="other", number=8, version=0)
    a_notifier(slack, book).notify(book.say(a_snapshot(others), LANE))
    tidying = SlackTidying(book.store, lambda lane: an_api(slack, book) if lane == LANE else None)
    assert tidying.run_once(book.now) == 0  # too early: what was paused may still come
    assert tidying.run_once(book.now + 3 * MINUTE) == 3
    assert doubled[0] in slack.messages
    assert doubled[1] in slack.deleted
    assert len(slack.top()) == 2
    assert len(slack.thread(doubled[0].ts)) == 1


def test_it_looks_for_twins_twice_and_then_no_more(
    slack: SlackServer, book: Book, doubled: tuple[Message, Message]
) -> None:
    tidying = SlackTidying(book.store, lambda lane: an_api(slack, book))
    looks = []
    for minute in (3, 4, 16, 17, 50):
        tidying.run_once(book.now + minute * MINUTE)
        looks.append(slack.calls("conversations.history"))
    assert looks == [1, 1, 2, 2, 2]


def test_a_message_that_slack_took_late_is_looked_at_after_that(
    slack: SlackServer, book: Book, doubled: tuple[Message, Message]
) -> None:
    """It had been away for hours: what was paused meanwhile comes after it is back, too."""
    outside = book.outside(INCIDENT, LANE)
    assert outside is not None
    with book.store.transaction() as transaction:
        early = book.now - timedelta(hours=2)
        transaction.telling.put_object(replace(outside, opened_at=early))
    tidying = SlackTidying(book.store, lambda lane: an_api(slack, book))
    assert tidying.run_once(book.now + MINUTE) == 0
    assert tidying.run_once(book.now + 3 * MINUTE) == 3


def test_where_history_may_not_be_read_nothing_is_removed(
    slack: SlackServer, book: Book, doubled: tuple[Message, Message]
) -> None:
    slack.scopes.discard("channels:history")
    assert SlackTidying(book.store, lambda lane: an_api(slack, book)).run_once(book.now + 3 * MINUTE) == 0
    assert len(slack.top()) == 3
