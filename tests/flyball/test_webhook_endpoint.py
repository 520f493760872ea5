"""Delivering alerts over HTTP: what is stored, and every refusal."""

import http.client
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from controlplane import conventions
from controlplane.model.alert import AlertStatus
from flyball.web import bodies, hooks
from tests.alerts.notifications import alert, body
from tests.flyball.running import BEARER, TOKEN, Replica, eventually, replica, settings_in


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Replica]:
    with replica(settings_in(tmp_path)) as it:
        yield it


def kinds(it: Replica) -> list[str]:
    with it.services.store.transaction(read_only=True) as transaction:
        return [recorded.event.kind for recorded in transaction.events.after(0, 100)]


def backlog(it: Replica) -> int:
    with it.services.store.transaction(read_only=True) as transaction:
        return transaction.outbox.backlog()


def test_an_alert_is_stored_told_and_resolved(one: Replica) -> None:
    assert one.post(body(alert())).json() == {"fired": 1, "resolved": 0, "repeated": 0}
    with one.services.store.transaction(read_only=True) as transaction:
        (stored,) = transaction.alerts.firing()
    assert stored.alert.labels["slo"] == "checkout-1"
    assert one.post(body(alert(status="resolved"))).json() == {"fired": 0, "resolved": 1, "repeated": 0}
    with one.services.store.transaction(read_only=True) as transaction:
        assert transaction.alerts.firing() == []
    assert kinds(one) == [conventions.EVENT_ALERT_FIRED, conventions.EVENT_ALERT_RESOLVED]
    one.run("delivery")
    told = one.console.getvalue()
    assert told.index("FIRING") < told.index("RESOLVED")
    assert "slo=checkout-1" in told
    assert backlog(one) == 0


def test_a_repeated_delivery_is_welcome_and_changes_nothing(one: Replica) -> None:
    answers = [one.post(body(alert())) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert answers[2].json() == {"fired": 0, "resolved": 0, "repeated": 1}
    assert (kinds(one), backlog(one)) == ([conventions.EVENT_ALERT_FIRED], 1)


def test_a_replayed_firing_does_not_undo_a_resolve(one: Replica) -> None:
    for status in ("firing", "resolved", "firing"):
        assert one.post(body(alert(status=status))).is_success
    with one.services.store.transaction(read_only=True) as transaction:
        (stored,) = transaction.alerts.recent(10)
    assert stored.alert.status is AlertStatus.RESOLVED
    assert backlog(one) == 2


def test_an_alert_first_met_when_resolved_has_fired_all_the_same(one: Replica) -> None:
    assert one.post(body(alert(status="resolved"))).json() == {"fired": 0, "resolved": 1, "repeated": 0}
    assert kinds(one) == [conventions.EVENT_ALERT_FIRED, conventions.EVENT_ALERT_RESOLVED]


def test_the_same_alert_from_many_clients_at_once_is_stored_once(one: Replica) -> None:
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(httpx.post(f"{one.url}{hooks.PATH}", content=body(
            alert(1), alert(2)), headers=BEARER, timeout=30).status_code))
        for _ in range(12)
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 12
    assert (len(kinds(one)), backlog(one)) == (2, 2)


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer wrong",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
    ],
)
def test_without_the_secret_it_is_401_and_says_what_is_needed(one: Replica, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = one.post(body(alert()), headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "bearer token" in answer.json()["error"]
    assert kinds(one) == []


def test_the_scheme_may_be_written_in_any_case(one: Replica) -> None:
    assert one.post(body(alert()), {"Authorization": f"bearer {TOKEN}"}).is_success


def test_any_content_type_is_taken(one: Replica) -> None:
    assert one.post(body(alert()), BEARER | {"Content-Type": "text/plain"}).is_success


@pytest.mark.parametrize(
    ("content", "field"), [(b"{", ""), (b"{}", "version"), (body({}, status="firing"), "alerts[0].fingerprint")]
)
def test_what_is_no_notification_is_400_and_names_the_field(one: Replica, content: bytes, field: str) -> None:
    answer = one.post(content)
    assert answer.status_code == 400
    assert answer.json().get("field", "") == field
    assert answer.json()["error"]


def test_one_bad_alert_refuses_the_whole_notification(one: Replica) -> None:
    assert one.post(body(alert(1), alert(2, startsAt="x"))).status_code == 400
    assert kinds(one) == []


def test_a_body_of_exactly_the_limit_is_read(one: Replica) -> None:
    content = body(alert())
    padded = content + b" " * (bodies.MAX_BODY_BYTES - len(content))
    assert one.post(padded).status_code == 200
    assert one.post(padded + b" ").status_code == 413


def test_a_body_that_grows_too_large_while_it_streams_is_413(one: Replica) -> None:
    chunks = (b" " * 100_000 for _ in range(20))
    answer = httpx.post(f"{one.url}{hooks.PATH}", content=chunks, headers=BEARER)
    assert answer.status_code == 413
    assert "larger than" in answer.json()["error"]


def test_a_client_that_asks_first_is_refused_before_it_sends(one: Replica) -> None:
    connection = http.client.HTTPConnection(urlsplit(one.url).netloc, timeout=10)
    connection.putrequest("POST", hooks.PATH)
    headers = BEARER | {"Content-Length": str(10**9), "Expect": "100-continue"}
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_a_body_that_does_not_arrive_is_408(one: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.2)
    monkeypatch.setattr(bodies, "_DRAIN_SECONDS", 60)
    connection = http.client.HTTPConnection(urlsplit(one.url).netloc, timeout=60)
    connection.putrequest("POST", hooks.PATH)
    connection.putheader("Content-Length", "100")
    connection.putheader(*next(iter(BEARER.items())))
    connection.endheaders(b"{")
    assert connection.getresponse().status == 408
    connection.close()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_405(one: Replica, method: str) -> None:
    answer = one.client.request(method, hooks.PATH, headers=BEARER)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.json()["error"]


def test_without_a_configured_secret_it_is_closed_and_says_how_to_open_it(tmp_path: Path) -> None:
    with replica(settings_in(tmp_path, FLYBALL_WEBHOOK_TOKEN="")) as it:
        for headers in ({}, BEARER, {"Authorization": "Bearer"}):
            answer = it.post(body(alert()), headers)
            assert answer.status_code == 503
            assert "FLYBALL_WEBHOOK_TOKEN_FILE" in answer.json()["error"]


def test_a_database_that_can_not_store_is_503_and_nothing_is_lost_on_the_next_attempt(
    one: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "ANSWER_SECONDS", 0.5)
    with one.services.store.transaction() as transaction:  # SQLite has one writer
        transaction.outbox.claim(1, one.services.clock.now())
        answer = one.post(body(alert()))
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
    eventually(lambda: one.post(body(alert())).is_success)
    assert (kinds(one), backlog(one)) == ([conventions.EVENT_ALERT_FIRED], 1)


def test_a_database_that_is_gone_is_503_and_never_acknowledges(tmp_path: Path) -> None:
    with replica(settings_in(tmp_path)) as it:
        assert it.post(body(alert(1))).is_success
        shutil.rmtree(tmp_path / ".flyball")
        answer = it.post(body(alert(2)))
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert it.client.get("/alerts").status_code == 200
        assert it.client.get("/api/v1/alerts").status_code == 503


def test_more_than_it_can_work_on_is_503_and_passes_later(one: Replica) -> None:
    netloc = urlsplit(one.url).netloc
    waiting = [http.client.HTTPConnection(netloc, timeout=30) for _ in range(hooks.MAX_IN_FLIGHT)]
    content = body(alert())
    for connection in waiting:  # each has a place until its body is complete
        connection.putrequest("POST", hooks.PATH)
        connection.putheader("Content-Length", str(len(content)))
        connection.putheader(*next(iter(BEARER.items())))
        connection.endheaders(content[:10])
    gauge = f'{conventions.WEBHOOK_IN_FLIGHT}{{hook="alertmanager"}} {hooks.MAX_IN_FLIGHT}.0'
    eventually(lambda: gauge in one.client.get("/metrics").text)
    answer = one.post(content)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    for connection in waiting:
        connection.send(content[10:])
        assert connection.getresponse().status == 200
        connection.close()
    assert one.post(content).status_code == 200


def test_a_client_that_hangs_up_half_way_takes_no_place_for_ever(one: Replica) -> None:
    parts = urlsplit(one.url)
    for _ in range(3):
        with socket.create_connection((parts.hostname, parts.port)) as connection:
            head = f"POST {hooks.PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
            connection.sendall(f"{head}Content-Length: 50\r\n\r\nabc".encode())
    gauge = f'{conventions.WEBHOOK_IN_FLIGHT}{{hook="alertmanager"}} 0.0'
    eventually(lambda: gauge in one.client.get("/metrics").text)
    assert one.post(body(alert())).is_success


def test_answers_are_counted_by_code(one: Replica) -> None:
    one.post(body(alert()))
    one.post(b"{")
    one.post(b"{}", {})
    text = one.client.get("/metrics").text
    for code, count in {"200": 1, "400": 1, "401": 1, "413": 0, "503": 0}.items():
        assert f'{conventions.WEBHOOK_REQUESTS}{{code="{code}",hook="alertmanager"}} {count}.0' in text
    assert f'{conventions.ALERTS_RECEIVED}{{status="firing"}} 1.0' in text
