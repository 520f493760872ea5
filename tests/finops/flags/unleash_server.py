"""A real Unleash server of our own, with a person beside us who changes flags too. It takes about 4 s of processor."""

import http.client
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg

from flyball.demo import servers

PROGRAM = Path(__file__).parent / "unleash/node_modules/unleash-server/dist/server.js"
TOKEN = "*:*.admin-token-of-flyball"  # events call it "admin"
CLIENT_TOKEN = "default:production.client-token-of-tests"
PROJECT, ENVIRONMENT = "default", "production"
PERSON, _PASSWORD = "ann", "Long-enough-4-Unleash!"
_FEATURES = f"/api/admin/projects/{PROJECT}/features"
_PATIENCE_SECONDS = 120.0


@dataclass
class UnleashServer:
    """At `url`; what is called here is done by ann, in the browser as it were, not by us."""

    url: str
    browser: httpx.Client

    def create(self, flag: str, *, on: bool = False) -> None:
        self._done("POST", _FEATURES, {"name": flag, "type": "kill-switch"})
        if on:
            self.turn(flag, on=True)

    def turn(self, flag: str, *, on: bool) -> None:
        self._done("POST", f"{self._at(flag)}/{'on' if on else 'off'}")

    def archive(self, flag: str) -> None:
        self._done("DELETE", f"{_FEATURES}/{flag}")

    def is_on(self, flag: str) -> bool:
        return bool(self._done("GET", self._at(flag)).json()["enabled"])

    def strategies(self, flag: str) -> list[dict[str, object]]:
        return list(self._done("GET", self._at(flag)).json()["strategies"])

    def add_strategy(self, flag: str, body: dict[str, object]) -> None:
        self._done("POST", f"{self._at(flag)}/strategies", body)

    def change_strategy(self, flag: str, body: dict[str, object]) -> None:
        self._done("PUT", f"{self._at(flag)}/strategies/{body['id']}", {k: v for k, v in body.items() if k != "id"})

    def serve(self, flag: str, texts: list[str], chosen: str, *, kind: str = "string") -> None:
        """A flag that gives everybody one of these texts."""
        self.create(flag)
        variants = [
            {
                "name": text,
                "weight": 1000 if text == chosen else 0,
                "weightType": "variable" if text == chosen else "fix",
                "stickiness": "default",
                "payload": {"type": kind, "value": text},
            }
            for text in texts
        ]
        body = {
            "name": "flexibleRollout",
            "constraints": [],
            "parameters": {"rollout": "100", "stickiness": "default", "groupId": flag},
            "variants": variants,
        }
        self.add_strategy(flag, body)
        self.turn(flag, on=True)

    def choose(self, flag: str, text: str) -> None:
        """The same flag gives everybody another of its texts."""
        strategy = self.strategies(flag)[0]
        variants: list[dict[str, object]] = strategy["variants"]  # type: ignore[assignment]
        weighed = [
            {
                **each,
                "weight": 1000 if each["name"] == text else 0,
                "weightType": "variable" if each["name"] == text else "fix",
            }
            for each in variants
        ]
        kept = {key: strategy[key] for key in ("id", "name", "constraints", "parameters")}
        self.change_strategy(flag, {**kept, "variants": weighed})

    def report_use(self, flag: str) -> None:
        """What an SDK sends once a minute."""
        count = {
            "start": "2026-01-01T00:00:00Z",
            "stop": "2026-01-01T00:01:00Z",
            "toggles": {flag: {"yes": 1, "no": 0}},
        }
        body = {"appName": "shop", "instanceId": "1", "bucket": count}
        answer = httpx.post(f"{self.url}/api/client/metrics", json=body, headers={"Authorization": CLIENT_TOKEN})
        assert answer.is_success, answer.text

    def _at(self, flag: str) -> str:
        return f"{_FEATURES}/{flag}/environments/{ENVIRONMENT}"

    def _done(self, method: str, path: str, body: object = None) -> httpx.Response:
        answer = self.browser.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer


@contextmanager
def running_unleash(postgresql_server: str) -> Iterator[UnleashServer]:
    """Up and signed in until the end of the block, with a database of its own on that server."""
    name = f"unleash_{uuid4().hex[:8]}"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type]
    port = servers.free_port()
    url = f"http://{servers.LOOPBACK}:{port}"
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": postgresql_server.replace("postgresql://", "postgres://").replace("/postgres", f"/{name}"),
        "DATABASE_SSL": "false",
        "HTTP_HOST": servers.LOOPBACK,
        "PORT": str(port),
        "CHECK_VERSION": "false",
        "SEND_TELEMETRY": "false",
        "INIT_ADMIN_API_TOKENS": TOKEN,
        "INIT_BACKEND_API_TOKENS": CLIENT_TOKEN,
    }
    folder = Path(tempfile.mkdtemp(prefix="flyball-unleash-"))
    try:
        with (
            servers.running(
                "Unleash", ["node", str(PROGRAM)], url=url, ready=lambda: _answers(port),
                log=folder / "log", environment=environment, patience_seconds=_PATIENCE_SECONDS,
            ),
            httpx.Client(base_url=url, timeout=30) as browser,
        ):  # fmt: skip
            yield UnleashServer(url, _signed_in(browser))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answers(port: int) -> bool:
    """Asked often while it starts: this costs next to nothing."""
    connection = http.client.HTTPConnection(servers.LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _signed_in(browser: httpx.Client) -> httpx.Client:
    """As a person who is not the token."""
    user = {"username": PERSON, "password": _PASSWORD, "rootRole": 1, "sendEmail": False}
    made = browser.post("/api/admin/user-admin", json=user, headers={"Authorization": TOKEN})
    assert made.is_success, made.text
    answer = browser.post("/auth/simple/login", json={"username": PERSON, "password": _PASSWORD})
    assert answer.is_success, answer.text
    return browser
