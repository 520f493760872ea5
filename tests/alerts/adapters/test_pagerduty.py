"""PagerDuty through its own client against a server that refuses what PagerDuty refuses and fails on command."""

import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from alerts.adapters.pagerduty import PAUSE, PagerDutyNotifier, retry_at
from alerts.delivery.rates import Allowance, NoRoom, Rate
from alerts.model import Snapshot
from alerts.ports import RateLimited
from controlplane.model.incident import IncidentState, OutsideObject, Priority
from controlplane.ports import Permanent, Transient
from tests.alerts.adapters.telling import Book
from tests.alerts.snapshots import INCIDENT, acknowledged, resolved, snapshot_of
from tests.outside.failing import Failure
from tests.outside.pagerduty import ROUTING_KEY, PagerDutyServer

LANE = "pagerduty:SRE"
KEY = f"flyball/{INCIDENT.id}/{LANE}"


@pytest.fixture(scope="module")
def shared() -> Iterator[PagerDutyServer]:
    with PagerDutyServer() as server:
        yield server


@pytest.fixture
def server(shared: PagerDutyServer) -> PagerDutyServer:
    shared.recover()
    for kept in (shared.pages, shared.stray, shared.calls, shared.refused, shared.asked):
        kept.clear()
    shared.retry_after = 1
    return shared


def notifier(
    book: Book, server: PagerDutyServer, *, key: str | None = ROUTING_KEY, seconds: float = 8.0
) -> PagerDutyNotifier:
    return PagerDutyNotifier(
        LANE, lambda: key, book.showing(), book.rate(), now=book.clock, url=server.url, deadline_seconds=seconds
    )


def tell(book: Book, it: PagerDutyNotifier, snapshot: Snapshot) -> OutsideObject:
    it.notify(book.say(snapshot, LANE))
    outside = book.outside(snapshot.incident, LANE)
    assert outside is not None
    return outside


def test_an_incident_is_one_page_from_its_beginning_to_its_end(book: Book, server: PagerDutyServer) -> None:
    it, second = notifier(book, server), acknowledged(INCIDENT)
    opened = tell(book, it, snapshot_of())
    assert (opened.outside_id, opened.told_version, opened.closed_at) == (KEY, 1, None)
    tell(book, it, snapshot_of(second))
    closed = tell(book, it, snapshot_of(resolved(second)))
    assert (closed.told_version, closed.closed_at, closed.opened_at) == (3, book.now, opened.opened_at)
    (page,) = server.pages
    assert (page.key, page.status) == (KEY, "resolved")
    assert [event["event_action"] for event in page.events] == ["trigger", "acknowledge", "resolve"]


def test_what_is_shown_already_makes_no_call(book: Book, server: PagerDutyServer) -> None:
    it = notifier(book, server)
    tell(book, it, snapshot_of())
    tell(book, it, snapshot_of())
    assert tell(book, it, snapshot_of(replace(INCIDENT, version=2, summary="an alert joined"))).told_version == 2
    assert len(server.asked) == 1


def test_one_that_is_over_before_it_left_is_triggered_and_then_resolved(book: Book, server: PagerDutyServer) -> None:
    tell(book, notifier(book, server), snapshot_of(resolved(INCIDENT)))
    (page,) = server.pages
    assert [event["event_action"] for event in page.events] == ["trigger", "resolve"]
    assert server.stray == []


def test_no_resolve_leaves_before_its_trigger_was_taken(book: Book, server: PagerDutyServer) -> None:
    it = notifier(book, server)
    server.fail(Failure.SERVER_ERROR)
    with pytest.raises(Transient, match="500"):
        tell(book, it, snapshot_of(resolved(INCIDENT)))
    assert len(server.asked) == 1
    server.fail(Failure.LOST_ANSWER)
    with pytest.raises(Transient, match="cannot be reached"):
        tell(book, it, snapshot_of(resolved(INCIDENT)))
    assert tell(book, it, snapshot_of(resolved(INCIDENT))).closed_at
    (page,) = server.pages
    assert [event["event_action"] for event in page.events] == ["trigger", "trigger", "resolve"]


def test_a_resolve_whose_answer_was_lost_opens_nothing_new(book: Book, server: PagerDutyServer) -> None:
    it = notifier(book, server)
    tell(book, it, snapshot_of())
    server.fail(Failure.LOST_ANSWER)
    with pytest.raises(Transient):
        tell(book, it, snapshot_of(resolved(INCIDENT)))
    assert tell(book, it, snapshot_of(resolved(INCIDENT))).closed_at
    assert [page.status for page in server.pages] == ["resolved"]
    assert server.stray == [KEY]


def test_an_acknowledgement_that_lapsed_pages_anew(book: Book, server: PagerDutyServer) -> None:
    it, second = notifier(book, server), acknowledged(INCIDENT)
    tell(book, it, snapshot_of(second))
    lapsed = replace(second, state=IncidentState.OPEN, version=3)
    assert tell(book, it, snapshot_of(lapsed)).closed_at is None
    assert [page.status for page in server.of_key(KEY)] == ["resolved", "triggered"]


def test_one_that_becomes_worse_is_triggered_again(book: Book, server: PagerDutyServer) -> None:
    it = notifier(book, server)
    tell(book, it, snapshot_of(replace(INCIDENT, priority=Priority.P2)))
    tell(book, it, snapshot_of(replace(INCIDENT, version=2, priority=Priority.P0)))
    (page,) = server.pages
    assert (page.severity, len(page.events)) == ("critical", 2)


@pytest.mark.parametrize(
    ("failure", "error", "says"),
    [
        (Failure.SERVER_ERROR, Transient, "PagerDuty answered 500"),
        (Failure.UNAVAILABLE, Transient, "PagerDuty answered 503"),
        (Failure.RESET, Transient, "cannot be reached"),
        (Failure.GARBAGE, Transient, "not what it should be"),
        (Failure.REFUSED, Permanent, r"refused the event \(400\)"),
        (Failure.TIMEOUT, Transient, "PagerDuty"),
        (Failure.SLOW_HEAD, Transient, "did not answer within"),
        (Failure.SLOW_BODY, Transient, "did not answer within"),
    ],
)
def test_each_failure_is_what_the_outbox_needs_to_know(
    book: Book, server: PagerDutyServer, failure: Failure, error: type[Exception], says: str
) -> None:
    it = notifier(book, server, seconds=0.3)
    server.fail(failure)
    with pytest.raises(error, match=says) as raised:
        tell(book, it, snapshot_of())
    assert not isinstance(raised.value, RateLimited)
    assert ROUTING_KEY not in str(raised.value)
    assert len(server.asked) == 1, "PagerDuty's client must not try again by itself"
    assert book.outside(INCIDENT, LANE) is None
    assert tell(book, it, snapshot_of()).told_version == 1


def test_a_pause_that_pagerduty_asks_for_is_kept(book: Book, server: PagerDutyServer) -> None:
    it = notifier(book, server)
    server.retry_after = 20
    server.fail(Failure.TOO_MANY)
    with pytest.raises(RateLimited) as raised:
        tell(book, it, snapshot_of())
    assert raised.value.until == book.now + timedelta(seconds=20)
    with pytest.raises(RateLimited):
        tell(book, it, snapshot_of())
    assert len(server.asked) == 1
    book.pass_time(timedelta(seconds=20))
    assert tell(book, it, snapshot_of()).told_version == 1


def test_each_call_is_counted_also_the_second_of_one_message(book: Book, server: PagerDutyServer) -> None:
    rate = Rate(Allowance(1), book.clock)
    it = PagerDutyNotifier(LANE, lambda: ROUTING_KEY, book.showing(), rate, now=book.clock, url=server.url)
    with pytest.raises(NoRoom):
        tell(book, it, snapshot_of(resolved(INCIDENT)))
    assert [page.status for page in server.pages] == ["triggered"]
    book.pass_time(timedelta(minutes=1))
    assert tell(book, it, snapshot_of(resolved(INCIDENT))).closed_at
    assert [event["event_action"] for event in server.pages[0].events] == ["trigger", "resolve"]


def test_a_key_that_is_not_set_is_ours_to_mend_and_a_wrong_one_is_refused(book: Book, server: PagerDutyServer) -> None:
    with pytest.raises(Transient, match="the routing key of pagerduty:SRE is not set"):
        tell(book, notifier(book, server, key=None), snapshot_of())
    with pytest.raises(Permanent, match="Length of 'routing_key' is incorrect"):
        tell(book, notifier(book, server, key="short"), snapshot_of())
    with pytest.raises(Permanent, match="invalid routing key"):
        tell(book, notifier(book, server, key="f" * 32), snapshot_of())


def test_a_rotated_key_is_used_at_once(book: Book, server: PagerDutyServer) -> None:
    keys = ["f" * 32, ROUTING_KEY]
    it = PagerDutyNotifier(LANE, lambda: keys.pop(0), book.showing(), book.rate(), now=book.clock, url=server.url)
    with pytest.raises(Permanent):
        tell(book, it, snapshot_of())
    assert tell(book, it, snapshot_of()).told_version == 1


def test_pagerduty_must_prove_who_it_is(book: Book) -> None:
    authority = trustme.CA()
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with PagerDutyServer(tls=authority.issue_cert("127.0.0.1")) as server:
        it = PagerDutyNotifier(
            LANE, lambda: ROUTING_KEY, book.showing(), book.rate(), now=book.clock, url=server.url, tls=trusting
        )
        doubting = PagerDutyNotifier(
            LANE, lambda: ROUTING_KEY, book.showing(), book.rate(), now=book.clock, url=server.url
        )
        with pytest.raises(Transient, match="cannot be reached"):
            tell(book, doubting, snapshot_of())
        assert tell(book, it, snapshot_of()).told_version == 1


def test_no_event_leaves_late(book: Book) -> None:
    authority = trustme.CA()
    trusting, own = ssl.create_default_context(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.configure_trust(trusting)
    authority.issue_cert("127.0.0.1").configure_cert(own)
    given_up = threading.Event()
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer_late() -> None:
            connection, _ = listener.accept()
            given_up.wait(10)
            with own.wrap_socket(connection, server_side=True) as secured:
                heard.append(secured.recv(1))

        late = threading.Thread(target=answer_late)
        late.start()
        it = PagerDutyNotifier(
            LANE,
            lambda: ROUTING_KEY,
            book.showing(),
            book.rate(),
            now=book.clock,
            url=f"https://127.0.0.1:{listener.getsockname()[1]}",
            tls=trusting,
            deadline_seconds=0.2,
            step_seconds=5.0,
        )
        with pytest.raises(Transient, match="did not answer within"):
            tell(book, it, snapshot_of())
        given_up.set()
        late.join(10)
    assert heard == [b""]


def test_elsewhere_than_on_this_machine_it_is_https_or_nothing(book: Book) -> None:
    it = PagerDutyNotifier(
        LANE, lambda: ROUTING_KEY, book.showing(), book.rate(), now=book.clock, url="http://pagerduty.test"
    )
    with pytest.raises(Permanent, match="https only"):
        tell(book, it, snapshot_of())


def test_a_message_about_nothing_is_given_up(book: Book, server: PagerDutyServer) -> None:
    it = notifier(book, server)
    message = book.say(snapshot_of(), LANE)
    with pytest.raises(Permanent, match="names no incident"):
        it.notify(replace(message, payload={}))
    with pytest.raises(Permanent, match="there is no incident i9"):
        it.notify(replace(message, payload={"incident": "i9"}))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("30", 30),
        ("0", 1),
        ("", PAUSE.total_seconds()),
        ("soon", PAUSE.total_seconds()),
        ("-5", PAUSE.total_seconds()),
        ("99999999999999999999", PAUSE.total_seconds()),
        ("Tue, 01 Dec 2026 03:01:00 GMT", 60),
        ("Tue, 01 Dec 2020 03:01:00 GMT", 1),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_whatever_it_is_it_is_borne(header: str, seconds: float) -> None:
    now = datetime(2026, 12, 1, 3, tzinfo=UTC)
    assert retry_at(header, now) == now + timedelta(seconds=seconds)
