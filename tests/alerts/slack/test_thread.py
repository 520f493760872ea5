"""The thread of an incident's message."""

import json

from hypothesis import given
from hypothesis import strategies as st

from alerts.slack import limits
from alerts.slack.marks import Mark, marked, twins_of
from alerts.slack.message import length_of
from alerts.slack.thread import KEPT, SHOWN, Reply, mark_of, reply_of
from controlplane.model.incident import TimelineKind
from tests.alerts.messages.samples import TEXTS, a_line
from tests.outside.slack import content_problems


def text_of(reply: Reply | None) -> str:
    assert reply is not None
    return json.dumps(reply.message.blocks, ensure_ascii=False)


def test_a_line_has_its_time_its_kind_and_who_it_was() -> None:
    line = a_line(1, "checkout 2.3.1 & co", kind=TimelineKind.DEPLOYMENT, actor="argo")
    assert "(03:00:01 UTC)  Deployment: checkout 2.3.1 &amp; co (argo)" in text_of(reply_of([line], ()))


def test_every_line_is_told_once() -> None:
    lines = [a_line(number, f"line {number}") for number in range(3)]
    first = reply_of(lines[:2], ())
    assert first is not None
    assert reply_of(lines[:2], first.told) is None
    second = reply_of(lines, first.told)
    assert "line 2" in text_of(second)
    assert "line 1" not in text_of(second)
    assert second is not None
    assert second.id != first.id
    assert reply_of(lines, second.told) is None


def test_a_line_that_comes_late_is_told_though_later_ones_were() -> None:
    early, late = a_line(1, "early"), a_line(9, "late")
    first = reply_of([late], ())
    assert first is not None
    assert "early" in text_of(reply_of([early, late], first.told))


def test_of_more_lines_than_fit_the_latest_are_shown_and_the_rest_counted() -> None:
    lines = [a_line(number, f"line {number}.") for number in range(100)]
    reply = reply_of(lines, ())
    text = text_of(reply)
    assert "line 99." in text
    assert f"line {99 - SHOWN}." not in text
    assert f"{100 - SHOWN} earlier lines" in text
    assert reply is not None
    assert reply_of(lines, reply.told) is None


def test_what_is_remembered_has_a_bound_and_still_no_line_is_told_twice() -> None:
    lines = [a_line(number, f"line {number}.") for number in range(KEPT * 3)]
    told: tuple[str, ...] = ()
    for end in range(KEPT, KEPT * 3, 100):
        reply = reply_of(lines[:end], told)
        assert reply is not None
        told = reply.told
        assert len(told) <= KEPT
        assert reply_of(lines[:end], told) is None


def test_what_people_wrote_in_the_thread_is_not_told_there_again() -> None:
    assert reply_of([a_line(1, "hi", kind=TimelineKind.MESSAGE), a_line(2, "x", kind=TimelineKind.TOLD)], ()) is None


@given(st.lists(TEXTS, max_size=60))
def test_slack_takes_whatever_lines_say(texts: list[str]) -> None:
    lines = [a_line(number, text) for number, text in enumerate(texts)]
    reply = reply_of(lines, ())
    assert (reply is None) == (not lines)
    if reply:
        assert content_problems({"text": reply.message.text, "blocks": list(reply.message.blocks)}) is None
        assert length_of(reply.message.blocks) <= limits.ALL_BLOCKS
        assert {mark_of(line) for line in lines} == set(reply.told)


def test_our_messages_are_known_by_their_marks_and_nothing_else_is_taken_for_one() -> None:
    mark = Mark("i1", "slack:#ops")
    messages = [
        {"ts": "3.0", "metadata": mark.metadata()},
        {"ts": "1.0", "metadata": Mark("i1", "slack:#ops", "r1").metadata()},
        {"ts": "2.0", "metadata": mark.metadata()},
        {"ts": "4.0", "metadata": Mark("i2", "slack:#ops").metadata()},
        {"ts": "5.0"},
        {"ts": "6.0", "metadata": {"event_type": "flyball_incident", "event_payload": {"incident": 1}}},
        {"ts": "7.0", "metadata": {"event_type": "other", "event_payload": {"incident": "i1"}}},
        {"ts": 8, "metadata": mark.metadata()},
        {"ts": "9.0", "metadata": {"event_type": "flyball_incident", "event_payload": []}},
    ]
    assert [each.ts for each in marked(messages)] == ["1.0", "2.0", "3.0", "4.0"]
    assert twins_of("2.0", mark, messages) == ["3.0"]
