"""Usage over HTTP: what is counted, and every refusal."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from controlplane.model.usage import Outcome
from controlplane.ports import Transient
from controlplane.store import SqlStore
from exporters.cloudevents.requests import BATCH, STRUCTURED
from exporters.usage.terms import UsageTerms
from flyball.listen_address import ListenAddress
from flyball.secret import Secret
from flyball.telemetry import Tracing, own_metrics
from flyball.web import usage_hook
from flyball.web.server import WebServer
from flyball.web.usage_hook import PATH, Sender, UsageHook
from tests.exporters.usage.metering import NOW, TERMS, body, sent, tokens

TOKEN = "usage-secret-0123456789"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
AS_BATCH = BEARER | {"Content-Type": BATCH}
AS_ONE = BEARER | {"Content-Type": STRUCTURED}


class Fixed:
    """A clock that stands still."""

    def now(self) -> datetime:
        return NOW


def app(store: object, *senders: Sender, terms: UsageTerms = TERMS, **options: Any) -> Starlette:
    hook = UsageHook(
        store,  # type: ignore[arg-type]
        lambda: terms,
        senders=senders,
        clock=Fixed(),
        metrics=own_metrics(),
        tracing=Tracing(endpoint="", instance="test"),
        **options,
    )
    return Starlette(routes=[Route(PATH, hook.answer, methods=["POST"])])


@pytest.fixture
def client(store: SqlStore) -> Iterator[TestClient]:
    with TestClient(app(store, Sender(Secret(TOKEN)))) as found:
        yield found


def outcomes(store: SqlStore) -> dict[str, int]:
    with store.transaction(read_only=True) as transaction:
        return {outcome.value: count for outcome, count in transaction.usage.outcomes().items() if count}


def test_a_batch_is_counted_and_a_repeated_one_changes_nothing(client: TestClient, store: SqlStore) -> None:
    content = body(tokens(1, 10), tokens(2, "0.5", subject="beta"))
    answers = [client.post(PATH, content=content, headers=AS_BATCH) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [(answer.json()["accepted"], answer.json()["duplicates"]) for answer in answers] == [(2, 0), (0, 2)]
    assert outcomes(store) == {"accepted": 2, "duplicate": 2}


def test_one_event_may_come_structured_or_in_headers(client: TestClient, store: SqlStore) -> None:
    one = client.post(
        PATH, content=json.dumps(sent()), headers=AS_ONE | {"Content-Type": f"{STRUCTURED}; charset=UTF-8"}
    )
    assert (one.status_code, one.json()["accepted"]) == (200, 1)
    attributes = {
        f"ce-{name}": str(sent()[name]) for name in ("specversion", "id", "source", "type", "subject", "time")
    }
    same = client.post(PATH, json=sent()["data"], headers=BEARER | attributes)
    assert (same.status_code, same.json()["duplicates"]) == (200, 1)


def test_what_was_set_aside_is_kept_and_said_with_202(client: TestClient) -> None:
    client.post(PATH, content=body(tokens(1, 10)), headers=AS_BATCH)
    answer = client.post(PATH, content=body(tokens(1, 11), sent(2, type="what"), tokens(3, 1)), headers=AS_BATCH)
    assert answer.status_code == 202
    assert answer.json() == {
        "accepted": 1, "duplicates": 0, "conflicts": 1, "unknown": 1, "late": 0, "refused": 0, "faults": [],
    }  # fmt: skip


def test_one_bad_event_means_that_none_is_counted_and_every_fault_is_told(client: TestClient, store: SqlStore) -> None:
    answer = client.post(PATH, content=body(tokens(1, 10), tokens(2, -1), tokens(3, 1, time="x")), headers=AS_BATCH)
    assert answer.status_code == 422
    assert [(fault["place"], fault["field"]) for fault in answer.json()["faults"]] == [
        ("event 1", "data.tokens.total"), ("event 2", "time"),
    ]  # fmt: skip
    assert outcomes(store) == {"refused": 2}
    with store.transaction(read_only=True) as transaction:
        assert transaction.usage.totals() == []


@pytest.mark.parametrize(
    ("content", "headers", "code", "reason"),
    [
        (b"{", AS_BATCH, 400, "is not JSON"),
        (b"{}", AS_BATCH, 400, "a batch is a list of events"),
        (b"\xff", AS_ONE, 400, "is not UTF-8"),
        (b"{}", AS_ONE, 422, "specversion"),
        (body(sent()), BEARER | {"Content-Type": "application/json"}, 415, "send application/cloudevents+json"),
        (body(sent()), BEARER, 415, "send application/cloudevents+json"),
        (body(sent()), AS_BATCH | {"Content-Encoding": "gzip"}, 415, "must not be packed"),
        (body(sent()), BEARER | {"Content-Type": f"{BATCH}; charset=utf-16"}, 415, "JSON is UTF-8"),
        (body(sent()), {"Content-Type": BATCH}, 401, "a bearer token is needed"),
        (body(sent()), AS_BATCH | {"Authorization": "Bearer wrong"}, 401, "a bearer token is needed"),
        (body(sent()), AS_BATCH | {"Authorization": f"Basic {TOKEN}"}, 401, "a bearer token is needed"),
    ],
)
def test_a_refusal_says_what_is_wrong(
    client: TestClient, store: SqlStore, content: bytes, headers: dict[str, str], code: int, reason: str
) -> None:
    answer = client.post(PATH, content=content, headers=headers)
    assert answer.status_code == code
    assert reason in answer.text
    with store.transaction(read_only=True) as transaction:
        assert transaction.usage.outcomes()[Outcome.ACCEPTED] == 0


def test_other_methods_are_not_allowed(client: TestClient) -> None:
    assert client.get(PATH, headers=BEARER).status_code == 405


def test_without_a_secret_nobody_may_send(store: SqlStore) -> None:
    with TestClient(app(store)) as client:
        answer = client.post(PATH, content=body(sent()), headers=AS_BATCH)
    assert answer.status_code == 503
    assert "FLYBALL_USAGE_TOKEN" in answer.json()["error"]


def test_before_any_meter_is_known_nothing_is_taken_for_unknown(store: SqlStore) -> None:
    with TestClient(app(store, Sender(Secret(TOKEN)), terms=UsageTerms())) as client:
        answer = client.post(PATH, content=body(sent()), headers=AS_BATCH)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "no Meter is declared" in answer.json()["error"]
    assert outcomes(store) == {}


def test_a_token_may_be_for_some_tenants_only(store: SqlStore) -> None:
    senders = (Sender(Secret("alphas"), frozenset({"alpha"})), Sender(Secret("everybodys")))
    content = body(sent(1), sent(2, subject="beta"))
    with TestClient(app(store, *senders)) as client:
        refused = client.post(PATH, content=content, headers=AS_BATCH | {"Authorization": "Bearer alphas"})
        assert (refused.status_code, refused.json()["error"]) == (403, "this token may not send usage of beta")
        assert client.post(PATH, content=content, headers=AS_BATCH | {"Authorization": "Bearer everybodys"}).is_success
        own = client.post(PATH, content=body(sent(3)), headers=AS_BATCH | {"Authorization": "Bearer alphas"})
        assert own.status_code == 200


def test_a_body_too_large_is_413_announced_or_not(client: TestClient) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(22):
            yield b" " * 1_000_000

    for content in (b" " * 22_000_000, pieces()):
        answer = client.post(PATH, content=content, headers=AS_BATCH)
        assert answer.status_code == 413
        assert answer.json()["error"] == f"the body is larger than {20 * 1024**2} bytes"


def test_a_database_that_fails_is_503_and_the_sender_tries_again() -> None:
    class Broken:
        @contextmanager
        def transaction(self, **_: object) -> Iterator[None]:
            raise Transient("locked")
            yield

    with TestClient(app(Broken(), Sender(Secret(TOKEN)))) as client:
        answer = client.post(PATH, content=body(sent()), headers=AS_BATCH)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "locked" not in answer.text


@contextmanager
def served(application: Starlette) -> Iterator[ListenAddress]:
    server = WebServer(application, ListenAddress("127.0.0.1", 0))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server.address
    finally:
        server.stop()
        thread.join()


def test_over_the_wire_the_same_batch_from_many_senders_counts_once(store: SqlStore) -> None:
    content = body(*[tokens(number, "0.1") for number in range(500)])
    answers: list[httpx.Response] = []
    with served(app(store, Sender(Secret(TOKEN)), max_in_flight=64)) as address:
        url = f"http://{address}{PATH}"
        threads = [
            threading.Thread(
                target=lambda: answers.append(httpx.post(url, content=content, headers=AS_BATCH, timeout=60))
            )
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [answer.status_code for answer in answers] == [200] * 8
    assert sum(answer.json()["accepted"] for answer in answers) == 500
    with store.transaction(read_only=True) as transaction:
        (total,) = transaction.usage.totals()
    assert (str(total.quantity), total.events) == ("50", 500)


def test_a_request_too_many_is_429_and_a_slow_body_408(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage_hook, "BODY_SECONDS", 1.0)
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: {BATCH}\r\n"
    with (
        served(app(store, Sender(Secret(TOKEN)), max_in_flight=1)) as address,
        socket.create_connection((address.host, address.port)) as slow,
    ):
        slow.sendall(f"{head}Content-Length: 100\r\n\r\n[".encode())
        codes = {200}
        while codes == {200}:  # until the slow one has its place
            codes = {httpx.post(f"http://{address}{PATH}", content=b"[]", headers=AS_BATCH, timeout=30).status_code}
        assert codes == {429}
        response = http.client.HTTPResponse(slow)
        response.begin()
        assert response.status == 408
        assert httpx.post(f"http://{address}{PATH}", content=b"[]", headers=AS_BATCH, timeout=30).status_code == 200
