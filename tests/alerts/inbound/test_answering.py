"""Answers at the desk, on a real store."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from alerts.inbound.answering import Answering
from alerts.inbound.model import Answer, Deed
from alerts.incidents.desk import Desk
from alerts.model import AlertsDeclared
from alerts.pagerduty.event import dedup_key
from controlplane.model.incident import IncidentState, OutsideObject, TimelineEntry, TimelineKind
from controlplane.ports import Transaction, Transient
from tests.alerts.adapters.telling import Book, a_book, an_empty_database
from tests.alerts.messages.samples import INCIDENT, NOW

PRESSED = Answer("slack:1", Deed.ACKNOWLEDGE, "slack", "ann", NOW, incident=INCIDENT.id, user="UANN")
PAGED = Answer("pagerduty:1", Deed.ACKNOWLEDGE, "pagerduty", "Ann Example", NOW, outside_id="flyball/key")
WRITTEN = Answer("slack:C1:1.2", Deed.NOTE, "slack", "UANN", NOW, "", "1796.1", "C1", "rolling back")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return an_empty_database(tmp_path_factory.mktemp("empty"))


@pytest.fixture
def book(tmp_path: Path, empty: Path) -> Iterator[Book]:
    with a_book(tmp_path, empty) as book:
        book.keep(replace(INCIDENT, version=1, policy=""))
        with book.store.transaction() as transaction:
            for channel, id_, place in (("pagerduty:sre", "flyball/key", ""), ("slack:critical", "1796.1", "C1")):
                transaction.telling.put_object(OutsideObject(INCIDENT.id, channel, id_, NOW, NOW, place))
        yield book


@pytest.fixture
def answering(book: Book) -> Answering:
    ids = count(1)
    desk = Desk(book.store, AlertsDeclared, lambda: f"id{next(ids)}", read_time=lambda transaction, now: now)
    return Answering(book.store, desk)


def state(book: Book) -> IncidentState:
    with book.store.transaction(read_only=True) as transaction:
        incident = transaction.incidents.incident(INCIDENT.id)
    assert incident is not None
    return incident.state


def lines(book: Book) -> list[TimelineEntry]:
    with book.store.transaction(read_only=True) as transaction:
        return transaction.incidents.timeline(INCIDENT.id)


@pytest.mark.parametrize("answer", [PRESSED, PAGED])
def test_an_acknowledgement_is_one_wherever_it_comes_from(book: Book, answering: Answering, answer: Answer) -> None:
    answered = answering.take(answer, NOW)
    assert (answered.incident, answered.is_new, answered.why) == ("INC-1", True, "")
    assert state(book) is IncidentState.ACKNOWLEDGED
    assert [line.actor for line in lines(book)] == [answer.by]


def test_a_resolve_ends_it_and_a_later_acknowledgement_changes_nothing(book: Book, answering: Answering) -> None:
    assert answering.take(replace(PAGED, deed=Deed.RESOLVE), NOW).is_new
    late = answering.take(PRESSED, NOW)
    assert (late.is_new, late.why) == (False, "it was so already")
    assert state(book) is IncidentState.RESOLVED


@pytest.mark.parametrize("answer", [PRESSED, PAGED])
def test_an_old_answer_that_is_sent_again_does_not_acknowledge_what_is_open_again(
    book: Book, answering: Answering, answer: Answer
) -> None:
    answering.take(answer, NOW)
    with book.store.transaction() as transaction:
        _open_again(transaction)
    answered = answering.take(answer, NOW + timedelta(minutes=3))
    assert (answered.is_new, answered.why) == (False, "it came before")
    assert state(book) is IncidentState.OPEN
    assert answering.take(replace(answer, id="another"), NOW).is_new


def _open_again(transaction: Transaction) -> None:
    incident = transaction.incidents.incident(INCIDENT.id)
    assert incident is not None
    again = replace(incident, state=IncidentState.OPEN, acknowledged_at=None, acknowledged_by="", version=9)
    transaction.incidents.put(again)


def test_words_in_a_thread_stand_in_the_timeline_once_with_the_name_of_who_wrote_them(
    book: Book, answering: Answering
) -> None:
    answering.take(PRESSED, NOW)  # which tells that UANN is ann
    assert answering.take(WRITTEN, NOW).is_new
    assert not answering.take(WRITTEN, NOW).is_new
    (line,) = [line for line in lines(book) if line.kind is TimelineKind.MESSAGE]
    assert (line.actor, line.text) == ("ann", "rolling back")


def test_who_writes_is_asked_for_by_name(book: Book) -> None:
    desk = Desk(book.store, AlertsDeclared, lambda: "id", read_time=lambda transaction, now: now)
    asked = []

    def name_of(lane: str, user: str) -> str:
        asked.append((lane, user))
        return "Ann"

    Answering(book.store, desk, name_of).take(WRITTEN, NOW)
    assert lines(book)[0].actor == "Ann"
    assert asked == [("slack:critical", "UANN")]


def test_who_is_not_known_by_name_is_known_by_id(book: Book, answering: Answering) -> None:
    answering.take(WRITTEN, NOW)
    assert lines(book)[0].actor == "UANN"


@pytest.mark.parametrize(
    "answer", [replace(PAGED, outside_id="x"), replace(WRITTEN, place="C2"), replace(PRESSED, incident="gone")]
)
def test_what_is_about_nothing_that_we_opened_changes_nothing(book: Book, answering: Answering, answer: Answer) -> None:
    answered = answering.take(answer, NOW)
    assert not answered.is_new
    assert answered.why
    assert lines(book) == []


def test_a_page_whose_acceptance_was_lost_is_known_by_its_key(book: Book, answering: Answering) -> None:
    key = dedup_key(INCIDENT, "pagerduty:another")
    assert answering.take(replace(PAGED, outside_id=key), NOW).is_new
    assert state(book) is IncidentState.ACKNOWLEDGED


@pytest.mark.parametrize("answer", [replace(PRESSED, incident="gone"), replace(PAGED, outside_id="flyball/gone/lane")])
def test_an_answer_to_a_page_that_left_without_the_database_comes_again(book: Book, answer: Answer) -> None:
    desk = Desk(book.store, AlertsDeclared, lambda: "id", read_time=lambda transaction, now: now)
    kept = [True, False]
    answering = Answering(book.store, desk, is_page_kept=lambda: kept.pop(0))
    with pytest.raises(Transient, match="paged without it"):
        answering.take(answer, NOW)
    assert "there is no incident" in answering.take(answer, NOW).why


def test_what_others_paged_is_never_waited_for(book: Book) -> None:
    desk = Desk(book.store, AlertsDeclared, lambda: "id", read_time=lambda transaction, now: now)
    answering = Answering(book.store, desk, is_page_kept=lambda: True)
    for key in ("theirs", "theirs/1/2", "flyball", "flyball/x", "flyball//x"):
        assert answering.take(replace(PAGED, outside_id=key), NOW).why == "it is about nothing that we opened"
