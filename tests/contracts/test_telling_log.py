"""What was told outside, on both databases."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from controlplane.incident_ports import TellingLog
from controlplane.model.incident import AlertReceipt, AttemptOutcome, DeliveryAttempt, OutsideObject
from controlplane.store import SqlStore
from tests.contracts.storing import MINUTE, NOW, SECOND
from tests.contracts.test_incident_log import RESOLVED, an_incident


@contextmanager
def telling(store: SqlStore) -> Iterator[TellingLog]:
    with store.transaction() as transaction:
        yield transaction.telling


def shown(channel: str = "slack:#ops", incident: str = "i1", **changes: Any) -> OutsideObject:
    return replace(OutsideObject(incident, channel, "1700.01", NOW, NOW, "C01", "https://x/y"), **changes)


def attempt(message: str, at: datetime = NOW, incident: str = "i1", **changes: Any) -> DeliveryAttempt:
    about = DeliveryAttempt(message, "pagerduty:sre", incident, at, AttemptOutcome.RETRIED, "503")
    return replace(about, **changes)


def receipt(route: str, at: datetime = NOW, fingerprint: str = "f1", **changes: Any) -> AlertReceipt:
    return replace(AlertReceipt(fingerprint, NOW, route, f"{route}:{at.second}", at, at), **changes)


def test_each_channel_shows_an_incident_once(store: SqlStore) -> None:
    page = shown("pagerduty:sre", opened_at=NOW - SECOND, place="")
    later = shown(told_version=3, closed_at=NOW, data={"thread": ["1", "2"], "n": None, "posted": True})
    with telling(store) as log:
        assert log.object_of("i1", "slack:#ops") is None
        for each in (shown(), page, later, shown(incident="i2")):
            log.put_object(each)
            assert log.object_of(each.incident, each.channel) == each
        assert log.objects_of("i1") == [page, later]
        assert log.objects_of("i3") == []


def test_an_answer_from_outside_finds_what_it_is_about(store: SqlStore) -> None:
    with telling(store) as log:
        log.put_object(shown())
        log.put_object(shown("slack:#all", "i2", place="C02", opened_at=NOW - SECOND))
        log.put_object(shown("pagerduty:sre", "i3", place=""))
        assert log.by_outside_id("slack:", "1700.01") == shown()
        assert log.by_outside_id("slack:", "1700.01", "C02") == log.object_of("i2", "slack:#all")
        assert log.by_outside_id("pagerduty:", "1700.01") == log.object_of("i3", "pagerduty:sre")
        for channel, outside_id, place in (("email:", "1700.01", ""), ("slack:", "1", ""), ("slack:", "1700.01", "C3")):
            assert log.by_outside_id(channel, outside_id, place) is None
        assert log.by_outside_id("slack%", "1700.01") is None


def test_where_a_channel_is_is_known_from_what_was_shown_there_last(store: SqlStore) -> None:
    with telling(store) as log:
        assert log.place_of("slack:#ops") == ""
        log.put_object(shown(place="C2", updated_at=NOW))
        log.put_object(shown(incident="i2", place="C1", updated_at=NOW - SECOND))
        log.put_object(shown(incident="i3", place="", updated_at=NOW + SECOND))
        log.put_object(shown("slack:#all", place="C3", updated_at=NOW + SECOND))
        assert log.place_of("slack:#ops") == "C2"


def test_what_is_open_outside_of_incidents_that_are_over_is_found(store: SqlStore) -> None:
    with store.transaction() as transaction:
        transaction.incidents.put(an_incident("i1", "1", **RESOLVED))
        transaction.incidents.put(an_incident("i2", "2"))
        log = transaction.telling
        log.put_object(shown())
        log.put_object(shown("email:ann", opened_at=NOW - MINUTE))
        log.put_object(shown("pagerduty:sre", closed_at=NOW))
        log.put_object(shown(incident="i2"))
        log.put_object(shown(incident="nobody's"))
        assert [each.channel for each in log.left_open()] == ["email:ann", "slack:#ops"]
        assert [each.channel for each in log.left_open(1)] == ["email:ann"]


def test_attempts_come_back_oldest_first_and_of_many_the_latest(store: SqlStore) -> None:
    first, last = attempt("m1"), attempt("m1", NOW + MINUTE, outcome=AttemptOutcome.DELIVERED, detail="", attempt=2)
    with telling(store) as log:
        log.attempted([last, first, attempt("m1"), attempt("m2", incident="i2")])
        log.attempted([])
        assert log.attempts_of("i1") == [first, first, last]
        assert log.attempts_of("i1", 2) == [first, last]
        log.attempted([attempt("m3", incident="", detail="x" * 5000)])
        assert len(log.attempts_of("")[0].detail) == 2000


def test_deliveries_of_an_alert_to_a_route_are_counted(store: SqlStore) -> None:
    with telling(store) as log:
        log.received([receipt("pages"), receipt("default", NOW + SECOND), receipt("pages", NOW + MINUTE)])
        log.received([receipt("default", NOW - SECOND), receipt("pages", NOW + SECOND, deliveries=3)])
        log.received([receipt("pages", fingerprint="f2"), *[receipt("chat", fingerprint="f2")] * 2])
        log.received([])
        assert log.receipts_of("f1", NOW) == [
            receipt("default", NOW + SECOND, first_at=NOW - SECOND, deliveries=2),
            receipt("pages", NOW + MINUTE, first_at=NOW, deliveries=5),
        ]
        assert [(each.route, each.deliveries) for each in log.receipts_of("f2", NOW)] == [("chat", 2), ("pages", 1)]
        assert log.receipts_of("f1", NOW + SECOND) == []


def test_old_attempts_and_receipts_are_forgotten_and_what_is_open_outside_is_not(store: SqlStore) -> None:
    with telling(store) as log:
        log.attempted([attempt("old", NOW - SECOND), attempt("new")])
        log.received([receipt("old", NOW - SECOND), receipt("new")])
        log.put_object(shown(opened_at=NOW - MINUTE))
        assert [log.purge(NOW), log.purge(NOW)] == [2, 0]
        assert [each.message for each in log.attempts_of("i1")] == ["new"]
        assert [each.route for each in log.receipts_of("f1", NOW)] == ["new"]
        assert len(log.objects_of("i1")) == 1
