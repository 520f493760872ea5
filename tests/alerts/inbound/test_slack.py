"""Slack's requests, as Slack sends them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.signature import Clock, SignatureVerifier

from alerts.inbound.model import Answer, Deed, Nothing, Unreadable
from alerts.inbound.slack import is_genuine, parse, words_of
from alerts.slack.message import ACKNOWLEDGE, OPEN_PAGE, RESOLVE, message_of
from tests.alerts.messages.samples import INCIDENT, a_snapshot
from tests.outside.slack import SIGNING_SECRET, Message, SlackRequest, SlackServer, signed

FORM = "application/x-www-form-urlencoded"
NOW = datetime(2026, 12, 1, 3, 12, tzinfo=UTC)
AT = int(NOW.timestamp())
SHOWN = Message(f"{AT}.000001", "C0CRITICAL", "x", list(message_of(a_snapshot(), with_buttons=True).blocks), {})


@pytest.fixture(scope="module")
def slack() -> Any:
    with SlackServer() as server:
        server.at(AT)
        yield server


def taken(request: SlackRequest, now: datetime = NOW) -> Answer | Nothing | Unreadable:
    headers = {name.lower(): value for name, value in request.headers.items()}
    timestamp, signature = headers["x-slack-request-timestamp"], headers["x-slack-signature"]
    assert is_genuine(request.body, timestamp, signature, SIGNING_SECRET, now)
    return parse(request.body, headers["content-type"], now)


@pytest.mark.parametrize(("button", "deed"), [(ACKNOWLEDGE, Deed.ACKNOWLEDGE), (RESOLVE, Deed.RESOLVE)])
def test_a_button_says_what_and_who_and_of_which_incident(slack: SlackServer, button: str, deed: Deed) -> None:
    answer = taken(slack.press(SHOWN, button, user="ann"))
    assert isinstance(answer, Answer)
    assert (answer.deed, answer.incident, answer.by, answer.user) == (deed, INCIDENT.id, "ann", "UANN")
    assert abs(answer.at - NOW) < timedelta(seconds=1)
    again = taken(slack.press(SHOWN, button, user="ann"))
    assert isinstance(again, Answer)
    assert again.id != answer.id


def test_a_link_is_a_button_too_and_nothing_comes_of_it(slack: SlackServer) -> None:
    assert isinstance(taken(slack.press(SHOWN, OPEN_PAGE)), Nothing)


def test_words_in_a_thread_are_a_note_about_what_it_is_under(slack: SlackServer) -> None:
    answer = taken(slack.say(SHOWN, "rolling back &amp; watching <https://x.example|the graph> <@U1|ben>"))
    assert isinstance(answer, Answer)
    assert (answer.deed, answer.outside_id, answer.place) == (Deed.NOTE, SHOWN.ts, "C0CRITICAL")
    assert (answer.by, answer.text) == ("UANN", "rolling back & watching the graph (https://x.example) @ben")


@pytest.mark.parametrize(
    "more",
    [{"bot_id": "B1"}, {"subtype": "message_changed"}, {"subtype": "message_deleted"}, {"thread_ts": ""}, {"text": " "},
     {"user": ""}, {"type": "reaction_added"}],
)  # fmt: skip
def test_what_programs_write_or_is_no_word_in_a_thread_changes_nothing(
    slack: SlackServer, more: dict[str, str]
) -> None:
    assert isinstance(taken(slack.say(SHOWN, **({"text": "hello"} | more))), Nothing)


def test_slack_may_ask_whether_we_are_there() -> None:
    found = taken(signed(json.dumps({"type": "url_verification", "challenge": "abc", "token": "x"}).encode(), AT))
    assert found == Nothing("Slack asks whether we are there", "abc")
    assert isinstance(taken(signed(b"ssl_check=1&token=x", AT, content_type=FORM)), Nothing)


@pytest.mark.parametrize("age", [0, 299, -299, 301, -301, 10**9])
@pytest.mark.parametrize("change", ["nothing", "body", "secret", "signature"])
def test_it_is_genuine_when_slacks_own_sdk_says_so(age: int, change: str) -> None:
    class Then(Clock):
        def now(self) -> float:
            return float(AT)

    request = signed(b"payload=%7B%7D", AT - age, secret="other" if change == "secret" else SIGNING_SECRET)
    body = request.body + b" " if change == "body" else request.body
    stamp, signature = request.headers["X-Slack-Request-Timestamp"], request.headers["X-Slack-Signature"]
    signature = signature[:-1] if change == "signature" else signature
    theirs = SignatureVerifier(SIGNING_SECRET, Then()).is_valid(body, stamp, signature)
    assert is_genuine(body, stamp, signature, SIGNING_SECRET, NOW) is theirs
    assert theirs is (change == "nothing" and abs(age) < 300)


@pytest.mark.parametrize("stamp", ["", "now", "-5", "1e9", "١٢٣", "9" * 40])
def test_a_timestamp_that_is_none_is_not_genuine(stamp: str) -> None:
    assert not is_genuine(b"", stamp, "v0=x", SIGNING_SECRET, NOW)
    assert not is_genuine(b"", str(AT), "ü", SIGNING_SECRET, NOW)
    assert not is_genuine(b"", str(AT), signed(b"", AT, secret="").headers["X-Slack-Signature"], "", NOW)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xff", FORM), (b"payload=[", FORM), (b"payload=[]", FORM), (b"a=1&" * 100, FORM), (b"", FORM), (b"", ""),
        (urlencode({"payload": json.dumps({"type": "block_actions", "actions": [{"action_id": RESOLVE}]})}).encode(),
         FORM),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_said(body: bytes, kind: str) -> None:
    assert isinstance(parse(body, kind, NOW), Unreadable)


@given(st.text("<>|@#!&;ax ", max_size=30))
def test_words_are_read_whatever_they_are(text: str) -> None:
    assert isinstance(words_of(text), str)


_NAMES = st.sampled_from(["type", "actions", "user", "event", "action_id", "value", "ts", "thread_ts", "channel", "id"])
_LEAVES = (
    st.none() | st.integers() | st.sampled_from(["block_actions", "event_callback", "message", ACKNOWLEDGE, "1.2"])
)


@given(st.recursive(_LEAVES, lambda part: st.lists(part) | st.dictionaries(_NAMES, part), max_leaves=25))
def test_nothing_that_comes_breaks_it(value: object) -> None:
    text = json.dumps(value)
    for body, kind in ((text.encode(), ""), (urlencode({"payload": text}).encode(), FORM)):
        assert parse(body, kind, NOW) is not None
