"""The endpoint: what is taken, and every refusal, counted."""

import gzip
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest
from starlette.testclient import TestClient

from controlplane.model.check import CheckResult, ReportHead
from controlplane.ports import Transient
from controlplane.store import SqlStore
from controlplane.store.sql_store import SqlTransaction
from flyball.web.report_hook import PATH
from synthetics.regions import limits
from synthetics.regions.report_writing import pack, render
from synthetics.regions.signing import sign, signing_key
from tests.contracts.checking import NOON, failed, head, result
from tests.synthetics.regions.reporting import OTHER_TOKEN, TOKEN, Plane

SECONDS = timedelta(seconds=1)


@pytest.fixture
def plane(store: SqlStore) -> Plane:
    return Plane(store)


@pytest.fixture
def client(plane: Plane) -> Iterator[TestClient]:
    with TestClient(plane.app()) as found:
        yield found


def headers_for(
    body: bytes, about: ReportHead, token: str = TOKEN, at: timedelta = timedelta(0), region: str = ""
) -> dict[str, str]:
    region = region or about.region
    return sign(
        signing_key(token, region),
        region=region,
        prober=about.prober,
        sequence=about.sequence,
        body=body,
        now=NOON + at,
    )


def send(client: TestClient, *results: CheckResult, about: ReportHead | None = None, **how: object) -> httpx.Response:
    """Send a report as a prober does; `how` goes to the signature."""
    about = about or head()
    body = pack(render(about, results))
    headers = headers_for(body, about, **how)  # type: ignore[arg-type]
    return client.post(PATH, content=body, headers=headers | {"Content-Encoding": "gzip"})


def stored(store: SqlStore) -> int:
    with store.transaction(read_only=True) as transaction:
        return sum(total.ok + total.failed + total.fault for total in transaction.checks.totals())


def test_a_report_is_taken_once(client: TestClient, plane: Plane, store: SqlStore) -> None:
    answers = [send(client, result(0), failed(30)) for _ in range(2)]
    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (200, {"taken": 2, "repeated": False}),
        (200, {"taken": 0, "repeated": True}),
    ]
    assert send(client, failed(30), failed(60), about=head(2)).json() == {"taken": 1, "repeated": False}
    assert stored(store) == 3
    assert plane.counted() == {("eu", "taken"): 2.0, ("eu", "repeated"): 1.0}


def test_a_body_may_come_unpacked(client: TestClient) -> None:
    body = render(head(), [result(0)])
    assert client.post(PATH, content=body, headers=headers_for(body, head())).json()["taken"] == 1


@pytest.mark.parametrize(
    ("how", "code", "outcome", "field"),
    [
        ({"token": OTHER_TOKEN}, 401, "forged", "X-Flyball-Signature"),
        ({"at": timedelta(minutes=-6)}, 401, "replayed", "X-Flyball-Timestamp"),
        ({"at": timedelta(minutes=6)}, 401, "replayed", "X-Flyball-Timestamp"),
    ],
)
def test_forged_and_replayed_reports_are_refused_and_counted(
    client: TestClient, plane: Plane, store: SqlStore, how: Mapping[str, object], code: int, outcome: str, field: str
) -> None:
    answer = send(client, result(0), **how)
    assert (answer.status_code, answer.json()["field"]) == (code, field)
    assert plane.counted() == {("eu", outcome): 1.0}
    assert stored(store) == 0


def test_a_genuine_report_that_is_sent_again_after_its_time_is_a_replay(client: TestClient, plane: Plane) -> None:
    body, about = pack(render(head(), [result(0)])), head()
    headers = headers_for(body, about) | {"Content-Encoding": "gzip"}
    assert client.post(PATH, content=body, headers=headers).status_code == 200
    plane.clock.time = NOON + 299 * SECONDS
    assert client.post(PATH, content=body, headers=headers).json() == {"taken": 0, "repeated": True}
    plane.clock.time = NOON + 302 * SECONDS
    assert client.post(PATH, content=body, headers=headers).status_code == 401
    assert plane.counted() == {("eu", "taken"): 1.0, ("eu", "repeated"): 1.0, ("eu", "replayed"): 1.0}
    with plane.store.transaction(read_only=True) as transaction:
        assert [contact.reported_at for contact in transaction.checks.contacts()] == [NOON]


def test_names_of_regions_that_anybody_may_invent_are_not_counted_apart(client: TestClient, plane: Plane) -> None:
    for region in ("nowhere", "", "x" * 500):
        body = render(head(), [result(0)])
        assert client.post(PATH, content=body, headers={"X-Flyball-Region": region}).status_code == 401
    assert plane.counted() == {("", "forged"): 3.0}


def test_a_region_that_reports_for_another_is_refused(client: TestClient, plane: Plane) -> None:
    answer = send(client, result(0, region="us"), about=head(region="us"), token=TOKEN, region="eu")
    assert (answer.status_code, answer.json()["field"]) == (403, "region")
    assert plane.counted() == {("eu", "wrong_region"): 1.0}


def test_headers_that_say_other_than_the_body_are_malformed(client: TestClient, plane: Plane) -> None:
    body = render(head(7), [result(0)])
    answer = client.post(PATH, content=body, headers=headers_for(body, head(8)))
    assert (answer.status_code, answer.json()["field"]) == (400, "sequence")
    assert plane.counted() == {("eu", "malformed"): 1.0}


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b"[]", gzip.compress(b"{}", mtime=0)])
def test_a_signed_body_that_is_no_report_is_malformed(client: TestClient, plane: Plane, body: bytes) -> None:
    assert client.post(PATH, content=body, headers=headers_for(body, head())).status_code == 400
    assert plane.counted() == {("eu", "malformed"): 1.0}


def test_an_unknown_packing_is_told(client: TestClient, plane: Plane) -> None:
    answer = client.post(PATH, content=b"x", headers=headers_for(b"x", head()) | {"Content-Encoding": "br"})
    assert (answer.status_code, plane.counted()) == (415, {("eu", "malformed"): 1.0})


def test_an_oversized_report_is_refused_packed_and_unpacked(client: TestClient, plane: Plane) -> None:
    large = b" " * (limits.MAX_PACKED_BYTES + 1)
    assert client.post(PATH, content=large, headers=headers_for(large, head())).status_code == 413
    bomb = gzip.compress(b" " * (limits.MAX_BODY_BYTES + 1))
    packed = headers_for(bomb, head()) | {"Content-Encoding": "gzip"}
    assert client.post(PATH, content=bomb, headers=packed).status_code == 413
    assert plane.counted() == {("eu", "oversized"): 2.0}


class Away:
    """A store whose database does not answer."""

    def transaction(self, **_options: object) -> object:
        raise Transient("the database is away")


def test_while_the_database_is_away_the_prober_is_asked_to_come_again() -> None:
    plane = Plane(Away())  # type: ignore[arg-type]
    with TestClient(plane.app()) as client:
        answer = send(client, result(0))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "database" not in answer.json()["error"]
    assert plane.counted() == {("eu", "unavailable"): 1.0}


def test_more_reports_at_once_than_it_holds_are_asked_to_come_again(store: SqlStore) -> None:
    plane = Plane(store, max_in_flight=0)
    with TestClient(plane.app()) as client:
        answer = send(client, result(0))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert plane.counted() == {("eu", "busy"): 1.0}


def test_without_tokens_nobody_reports(store: SqlStore) -> None:
    with TestClient(Plane(store, tokens=()).app()) as client:
        answer = send(client, result(0))
    assert answer.status_code == 503
    assert "FLYBALL_PROBER_TOKENS" in answer.json()["error"]


class FailingCommit:
    """A store that cannot commit."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    @contextmanager
    def transaction(self) -> Iterator[SqlTransaction]:
        with self._store.transaction() as transaction:
            yield transaction
            raise Transient("the disk is full")


def test_what_cannot_be_committed_is_not_acknowledged(store: SqlStore) -> None:
    plane = Plane(FailingCommit(store))  # type: ignore[arg-type]
    with TestClient(plane.app()) as client:
        assert send(client, result(0)).status_code == 503
    assert stored(store) == 0
