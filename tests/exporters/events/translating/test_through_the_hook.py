"""Every sender through the real endpoint, from its signed webhook to what is stored."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from alerts.pagerduty.event import incident_of_key
from controlplane.model.delivery import EventQuery
from controlplane.store import SqlStore
from controlplane.webhook_signatures import signed_headers, written_secret
from exporters.events.translating.senders import all_translators
from flyball.event_settings import EventSettings
from flyball.secret import Secret
from flyball.telemetry import Tracing, own_metrics
from flyball.web.events_hook import EventsHook
from tests.exporters.events.translating.payloads import (
    ALL,
    FLAGGER,
    GITHUB_DEPLOYMENT,
    GITLAB_DEPLOYMENT,
    NOW,
    OURS,
    PAGERDUTY,
    Json,
    changed,
)

TOKEN, GITHUB, PAGER = "events-token-0123456789", "github-secret", "pagerduty-secret"
KEY = bytes(range(32))


class Fixed:
    """A clock that stands still."""

    def now(self) -> datetime:
        return NOW


@pytest.fixture
def client(store: SqlStore) -> Iterator[TestClient]:
    signing = {
        "github": (Secret("older"), Secret(GITHUB)),
        "gitlab": (Secret(written_secret(KEY)),),
        "pagerduty": (Secret(PAGER),),
    }
    hook = EventsHook(
        store,
        all_translators(incident_of_key),
        settings=EventSettings(tokens=(Secret(TOKEN),), signing=signing),
        clock=Fixed(),
        metrics=own_metrics(),
        tracing=Tracing(endpoint="", instance="test"),
    )
    with TestClient(Starlette(routes=hook.routes())) as found:
        yield found


def mac(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def proofs(name: str, body: bytes) -> dict[str, str]:
    """What the sender adds so that it is believed."""
    if name == "github":
        return {"X-Hub-Signature-256": f"sha256={mac(GITHUB, body)}"}
    if name == "gitlab":
        return signed_headers([KEY], "f5e5f430", int(NOW.timestamp()), body)
    if name == "pagerduty":
        return {"X-PagerDuty-Signature": f"v1={mac('other', body)},v1={mac(PAGER, body)}"}
    if name == "flagger":  # as Go's client does with https://flagger:TOKEN@…
        return {"Authorization": f"Basic {base64.b64encode(f'flagger:{TOKEN}'.encode()).decode()}"}
    return {"Authorization": f"Bearer {TOKEN}"}


def send(client: TestClient, name: str, payload: object, headers: dict[str, str] | None = None) -> Any:
    body = json.dumps(payload).encode()
    return client.post(
        f"/events/{name}",
        content=body,
        headers={"Content-Type": "application/json", **(headers or {}), **proofs(name, body)},
    )


def stored(store: SqlStore) -> list[tuple[str, str]]:
    with store.transaction(read_only=True) as transaction:
        found = transaction.delivery.find_events(EventQuery())
    return [(each.event.sender, ".".join(each.event.type.split(".")[2:4])) for each in found[::-1]]


def test_every_sender_tells_and_telling_again_changes_nothing(client: TestClient, store: SqlStore) -> None:
    for name, headers, payload in ALL:
        answer = send(client, name, payload, headers)
        assert answer.status_code == 200, answer.text
    told = stored(store)
    assert told == [
        ("github", "service.deployed"), ("github", "change.merged"), ("github", "change.reviewed"),
        ("github", "change.merged"), ("github", "change.merged"), ("github", "incident.reported"),
        ("gitlab", "service.deployed"), ("gitlab", "change.merged"), ("gitlab", "change.merged"),
        ("gitlab", "incident.detected"), ("argocd", "service.deployed"), ("argo-rollouts", "service.deployed"),
        ("flagger", "service.deployed"), ("pagerduty", "incident.detected"), ("alertmanager", "incident.detected"),
    ]  # fmt: skip
    for name, headers, payload in ALL:
        assert send(client, name, payload, headers).status_code == 200
    assert stored(store) == told


@pytest.mark.parametrize("name", sorted({name for name, _, _ in ALL}))
def test_nobody_else_is_believed(client: TestClient, store: SqlStore, name: str) -> None:
    headers, payload = next((headers, payload) for each, headers, payload in ALL if each == name)
    body = json.dumps(payload).encode()
    other = proofs(name, body + b" ") if name in ("github", "gitlab", "pagerduty") else {"Authorization": "Bearer no"}
    for forged in ({}, other):
        answer = client.post(f"/events/{name}", content=body, headers={**headers, **forged})
        assert answer.status_code == 401
        assert TOKEN not in answer.text
    assert stored(store) == []


def test_a_failed_pipeline_is_kept_and_said_to_be_nothing_that_is_read(client: TestClient, store: SqlStore) -> None:
    answer = send(client, "gitlab", changed(GITLAB_DEPLOYMENT, "status", "failed"))
    assert (answer.status_code, answer.json()["unknown"]) == (202, 1)
    assert stored(store) == [("gitlab", "pipelinerun.finished")]


def test_what_tells_of_nothing_is_answered_well(client: TestClient, store: SqlStore) -> None:
    ours = changed(PAGERDUTY, "event.data.incident_key", OURS)
    nothing: list[tuple[str, Json, dict[str, str]]] = [
        ("github", {"zen": "Practicality beats purity."}, {"x-github-event": "ping"}),
        ("pagerduty", ours, {}),
        ("flagger", FLAGGER | {"phase": "Progressing"}, {}),
    ]
    assert [send(client, *each).status_code for each in nothing] == [200, 200, 200]
    assert stored(store) == []


def test_a_mistake_is_named_by_its_path_and_nothing_is_stored(client: TestClient, store: SqlStore) -> None:
    broken: Any = changed(GITHUB_DEPLOYMENT, "deployment.sha", None)
    answer = send(client, "github", broken, {"x-github-event": "deployment_status"})
    assert answer.status_code == 422
    assert "deployment.sha: is missing" in answer.json()["error"]
    late = changed(GITHUB_DEPLOYMENT, "deployment_status.created_at", "2026-11-20T12:05:01Z")
    answer = send(client, "github", late, {"x-github-event": "deployment_status"})
    assert answer.status_code == 422
    assert "ahead of our clock" in answer.json()["error"]
    assert stored(store) == []


def test_github_may_send_a_form(client: TestClient, store: SqlStore) -> None:
    body = urlencode({"payload": json.dumps(GITHUB_DEPLOYMENT)}).encode()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded", "X-GitHub-Event": "deployment_status",
        **proofs("github", body),
    }  # fmt: skip
    assert client.post("/events/github", content=body, headers=headers).status_code == 200
    assert stored(store) == [("github", "service.deployed")]
