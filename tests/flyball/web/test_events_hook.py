"""Delivery events over HTTP: what is taken, and every refusal."""

import hashlib
import hmac
import json
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from controlplane.model.delivery import EventQuery
from controlplane.model.event import JSON
from controlplane.ports import Transient
from controlplane.store import SqlStore, migrate, open_store
from exporters.cloudevents.faults import Malformed
from exporters.cloudevents.requests import BATCH, STRUCTURED
from exporters.events.translating.senders import all_translators
from exporters.events.translators import Refusal
from flyball.event_settings import EventSettings
from flyball.listen_address import ListenAddress
from flyball.secret import Secret
from flyball.telemetry import Tracing, own_metrics
from flyball.web.events_hook import PATH, EventsHook
from flyball.web.server import WebServer
from tests.exporters.events.sent import NOW, body, sent

TOKEN, OLD_TOKEN, SIGNING = "events-secret-0123456789", "events-secret-of-last-year", b"signing-secret-012345"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
AS_BATCH = BEARER | {"Content-Type": BATCH}
AS_ONE = BEARER | {"Content-Type": STRUCTURED}
SETTINGS = EventSettings(
    tokens=(Secret(TOKEN), Secret(OLD_TOKEN)),
    signing={"github": (Secret(SIGNING.decode()),)},
    clock_tolerance=timedelta(minutes=5),
)


class Fixed:
    """A clock that stands still."""

    def now(self) -> datetime:
        return NOW


class Builder:
    """A sender: each build of its list becomes an event."""

    name = "builder"

    def authenticate(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now: datetime
    ) -> Refusal | None:
        return None if headers.get("x-token", "").encode() in secrets else Refusal(401, "the token is not ours")

    def translate(self, headers: Mapping[str, str], payload: object, now: datetime) -> list[dict[str, JSON]]:
        if not isinstance(payload, dict):
            raise Malformed("builds", "is missing")
        if "locked" in payload:
            raise Transient("locked")
        return [
            sent("service.deployed", number, source="/builder", **payload.get("changes", {}))
            for number in payload["builds"]
        ]


def app(store: object, settings: EventSettings = SETTINGS, **options: Any) -> Starlette:
    hook = EventsHook(
        store,  # type: ignore[arg-type]
        {"builder": Builder(), **all_translators(lambda key: "")},
        settings=settings,
        clock=Fixed(),
        metrics=own_metrics(),
        tracing=Tracing(endpoint="", instance="test"),
        **options,
    )
    return Starlette(routes=hook.routes())


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SQLite, migrated once: to be copied."""
    folder = tmp_path_factory.mktemp("sqlite")
    migrate(f"sqlite:///{folder}/empty.db")
    return folder / "empty.db"


@pytest.fixture
def store(tmp_path: Path, empty_database: Path) -> Iterator[SqlStore]:
    """A copy of it."""
    shutil.copyfile(empty_database, tmp_path / "state.db")
    opened = open_store(f"sqlite:///{tmp_path}/state.db")
    yield opened
    opened.close()


@pytest.fixture
def client(store: SqlStore) -> Iterator[TestClient]:
    with TestClient(app(store)) as found:
        yield found


def counts(store: SqlStore) -> dict[tuple[str, str], int]:
    """By sender and outcome."""
    found: dict[tuple[str, str], int] = {}
    with store.transaction(read_only=True) as transaction:
        for (sender, _, outcome), events in transaction.delivery.event_counts().items():
            found[sender, outcome] = found.get((sender, outcome), 0) + events
    return found


def ids(store: SqlStore) -> set[str]:
    with store.transaction(read_only=True) as transaction:
        return {each.event.id for each in transaction.delivery.find_events(EventQuery(limit=10_000))}


def test_a_batch_is_taken_and_a_repeated_one_changes_nothing(client: TestClient, store: SqlStore) -> None:
    content = body(sent("change.merged", 1, subject="12"), sent("service.deployed", 2))
    answers = [client.post(PATH, content=content, headers=AS_BATCH) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == {
        "accepted": 2, "duplicates": 0, "unknown": 0, "unknown_types": [], "conflicting": 0, "conflicts": [],
        "refused": 0, "faults": [],
    }  # fmt: skip
    assert (answers[1].json()["accepted"], answers[1].json()["duplicates"]) == (0, 2)
    assert ids(store) == {"e1", "e2"}


def test_one_event_may_come_structured_or_in_headers(client: TestClient) -> None:
    one = client.post(PATH, content=json.dumps(sent()), headers=AS_ONE)
    assert (one.status_code, one.json()["accepted"]) == (200, 1)
    attributes = {f"ce-{name}": str(value) for name, value in sent().items() if name != "data"}
    same = client.post(PATH, json=sent()["data"], headers=BEARER | attributes)
    assert (same.status_code, same.json()["duplicates"]) == (200, 1)


def test_what_nobody_reads_is_kept_and_said_with_202(client: TestClient, store: SqlStore) -> None:
    answer = client.post(PATH, content=body(sent("build.started"), sent("service.deployed", 2)), headers=AS_BATCH)
    assert answer.status_code == 202
    assert (answer.json()["unknown"], answer.json()["unknown_types"]) == (1, ["dev.cdevents.build.started.0.3.0"])
    assert counts(store) == {("cloudevents", "accepted"): 1, ("cloudevents", "unknown"): 1}


def test_an_event_that_contradicts_a_known_one_is_409_alone_and_202_in_a_batch(
    client: TestClient, store: SqlStore
) -> None:
    client.post(PATH, content=json.dumps(sent()), headers=AS_ONE)
    other = sent(own={"version": "2"})
    alone = client.post(PATH, content=json.dumps(other), headers=AS_ONE)
    assert alone.status_code == 409
    assert alone.json()["error"] == "an event e1 of /ci is known that says something else; that one stands"
    batch = client.post(PATH, content=body(other, sent("service.deployed", 2)), headers=AS_BATCH)
    assert (batch.status_code, batch.json()["accepted"]) == (202, 1)
    assert batch.json()["conflicts"] == [{"source": "/ci", "id": "e1"}]
    assert counts(store)["cloudevents", "conflict"] == 2


def test_one_bad_event_means_that_none_is_taken_and_every_fault_is_told(client: TestClient, store: SqlStore) -> None:
    missing, ahead = sent("service.deployed", 2), sent("service.deployed", 3, at="2026-12-01T13:00:00Z")
    del missing["data"]["subject"]["content"]["environment"]["id"]
    answer = client.post(PATH, content=body(sent(), missing, ahead), headers=AS_BATCH)
    assert answer.status_code == 422
    assert answer.json()["faults"] == [
        {"place": "event 1", "field": "data.subject.content.environment.id", "error": "is missing"},
        {
            "place": "event 2",
            "field": "time",
            "error": "lies 1 h ahead of our clock (2026-12-01T12:00:00Z), more than the 5 min that are allowed: one of "
            "the two clocks is wrong",
        },
    ]
    assert answer.json()["error"].startswith(
        "2 malformed events; none of the batch was taken. The first: event 1: data."
    )
    assert (ids(store), counts(store)) == (set(), {("cloudevents", "refused"): 2})


@pytest.mark.parametrize(
    ("content", "headers", "code", "reason"),
    [
        (b"{", AS_BATCH, 400, "is not JSON"),
        (b"{}", AS_BATCH, 400, "a batch is a list of events"),
        (b"\xff", AS_ONE, 400, "is not UTF-8"),
        (b"{}", AS_ONE, 422, "specversion"),
        (b'{"id": 1, "id": 1}', AS_ONE, 422, "id: stands there twice"),
        (body(sent()), BEARER | {"Content-Type": "application/json"}, 415, "send application/cloudevents+json"),
        (body(sent()), AS_BATCH | {"Content-Encoding": "gzip"}, 415, "must not be packed"),
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
    assert ids(store) == set()
    assert ("www-authenticate" in answer.headers) == (code == 401)


def test_any_of_the_tokens_opens_so_that_they_can_be_changed(client: TestClient) -> None:
    for token in (TOKEN, OLD_TOKEN):
        headers = AS_ONE | {"Authorization": f"Bearer {token}"}
        assert client.post(PATH, content=json.dumps(sent()), headers=headers).status_code == 200


def test_without_a_secret_nobody_may_send(store: SqlStore) -> None:
    with TestClient(app(store, EventSettings())) as client:
        asked = client.post(PATH, content=body(sent()), headers=AS_BATCH)
        github = client.post(f"{PATH}/github", content=b"{}")
        argocd = client.post(f"{PATH}/argocd", content=b"{}")
    assert [answer.status_code for answer in (asked, github, argocd)] == [503, 503, 503]
    assert "FLYBALL_EVENTS_TOKEN" in asked.json()["error"]
    assert "FLYBALL_EVENTS_GITHUB_SECRET" in github.json()["error"]
    assert "FLYBALL_EVENTS_TOKEN" in argocd.json()["error"]


@pytest.mark.parametrize("sender", ["argocd", "argo-rollouts", "flagger", "alertmanager"])
def test_who_brings_no_token_is_turned_away_before_taking_a_place(store: SqlStore, sender: str) -> None:
    with TestClient(app(store, max_in_flight=0)) as client:
        stranger = client.post(f"{PATH}/{sender}", content=b"{}", headers={"Authorization": "Bearer of-somebody-else"})
        ours = client.post(f"{PATH}/{sender}", content=b"{}", headers=BEARER)
    assert (stranger.status_code, ours.status_code) == (401, 429)


def test_a_sender_that_nobody_knows_is_404_and_other_methods_are_405(client: TestClient) -> None:
    answer = client.post(f"{PATH}/nobody", content=b"{}")
    assert answer.status_code == 404
    assert "github" in answer.json()["error"]
    assert client.get(PATH, headers=BEARER).status_code == 405


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
        def transaction(self, **_: object) -> None:
            raise Transient("locked")

    with TestClient(app(Broken())) as client:
        answer = client.post(PATH, content=body(sent()), headers=AS_BATCH)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "locked" not in answer.text


def test_a_senders_delivery_is_translated_and_a_repeated_one_changes_nothing(
    client: TestClient, store: SqlStore
) -> None:
    headers = {"X-Token": TOKEN}
    answers = [client.post(f"{PATH}/builder", json={"builds": [1, 2]}, headers=headers) for _ in range(2)]
    assert [(answer.status_code, answer.json()["accepted"], answer.json()["duplicates"]) for answer in answers] == [
        (200, 2, 0), (200, 0, 2),
    ]  # fmt: skip
    assert counts(store) == {("builder", "accepted"): 2, ("builder", "duplicate"): 2}
    nothing = client.post(f"{PATH}/builder", json={"builds": []}, headers=headers)
    assert (nothing.status_code, nothing.json()["accepted"]) == (200, 0)


@pytest.mark.parametrize(
    ("content", "headers", "code", "told"),
    [
        (b'{"builds": []}', {"X-Token": "wrong"}, 401, "the token is not ours"),
        (b"{", {"X-Token": TOKEN}, 400, "is not JSON"),
        (b'{"builds": [], "builds": [1]}', {"X-Token": TOKEN}, 400, "builds: stands there twice"),
        (b"[]", {"X-Token": TOKEN}, 422, "builds: is missing"),
        (b'{"builds": [1], "changes": {"at": "2026-12-01T12:10:00Z"}}', {"X-Token": TOKEN}, 422, "lies 10 min ahead"),
        (b'{"locked": 1}', {"X-Token": TOKEN}, 503, "send them again"),
        (b"{}", {"X-Token": TOKEN, "Content-Encoding": "br"}, 415, "must not be packed"),
        (b"a=b", {"X-Token": TOKEN, "Content-Type": "application/x-www-form-urlencoded"}, 400, "payload: is missing"),
    ],
)
def test_a_senders_refusal_says_what_is_wrong(
    client: TestClient, store: SqlStore, content: bytes, headers: dict[str, str], code: int, told: str
) -> None:
    answer = client.post(f"{PATH}/builder", content=content, headers=headers)
    assert answer.status_code == code
    assert told in answer.json()["error"]
    assert ids(store) == set()


@pytest.mark.parametrize("form", [False, True])
def test_a_ping_of_github_is_answered_200_when_it_is_signed(client: TestClient, form: bool) -> None:
    payload = json.dumps(
        {
            "zen": "Design for failure.",
            "repository": {"full_name": "acme/shop", "html_url": "https://github.com/acme/shop"},
        }
    )
    content = urlencode({"payload": payload}).encode() if form else payload.encode()
    signature = f"sha256={hmac.new(SIGNING, content, hashlib.sha256).hexdigest()}"
    headers = {
        "X-GitHub-Event": "ping",
        "X-Hub-Signature-256": signature,
        "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
    }
    assert client.post(f"{PATH}/github", content=content, headers=headers).status_code == 200
    forged = client.post(f"{PATH}/github", content=content + b" ", headers=headers)
    assert forged.status_code == 401
    assert signature not in forged.text


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
    content = body(*[sent("service.deployed", number) for number in range(300)])
    answers: list[httpx.Response] = []
    with served(app(store, max_in_flight=64)) as address:
        url = f"http://{address}{PATH}"
        threads = [
            threading.Thread(
                target=lambda: answers.append(httpx.post(url, content=content, headers=AS_BATCH, timeout=60))
            )
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [answer.status_code for answer in answers] == [200] * 6
    assert sum(answer.json()["accepted"] for answer in answers) == 300
    assert len(ids(store)) == 300
