"""Events API v2, Slack's Web API and a page of what arrived, on loopback."""

import json
import secrets
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import httpx

from controlplane.ports import Clock
from flyball.demo.pager.answers import Answering
from flyball.demo.pager.model import Message, Page, Pager
from flyball.demo.pager.page import page

LOOPBACK: Final = "127.0.0.1"
MOST_BYTES: Final = 512 * 1024  # of the Events API
PAGERDUTY_DOWN: Final = "pagerduty"  # the fault
_ACTIONS: Final = {"trigger": "triggered", "acknowledge": "acknowledged", "resolve": "resolved"}


@dataclass(frozen=True, slots=True)
class PagerParts:
    """What the server needs: `is_broken` tells whether a fault of the demo is in force, `keys` whose a key is."""

    pager: Pager
    clock: Clock
    answering: Answering
    is_broken: Callable[[str], bool]
    keys: Mapping[str, str] = field(default_factory=dict)
    form_token: str = field(default_factory=lambda: secrets.token_urlsafe(24))


class PagerServer(ThreadingHTTPServer):
    """Serves one pager."""

    daemon_threads = True

    def __init__(self, parts: PagerParts, port: int = 0) -> None:
        self.parts: Final = parts
        super().__init__((LOOPBACK, port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients come and go; anything else is a fault of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{LOOPBACK}:{self.server_address[1]}"


@contextmanager
def serving(server: PagerServer) -> Iterator[PagerServer]:
    """Answer in a thread until the end of the block."""
    thread = threading.Thread(target=server.serve_forever, name="pager", daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: PagerServer
    protocol_version = "HTTP/1.1"
    server_version = "Pager"

    def do_GET(self) -> None:
        parts = self.server.parts
        path = urlsplit(self.path).path
        if path == "/":
            down = "PagerDuty" if parts.is_broken(PAGERDUTY_DOWN) else ""
            html = page(
                parts.pager,
                token=parts.form_token,
                down=down,
                flyball_url=parts.answering.flyball_url,
                keys=parts.keys,
            )
            self._answer(HTTPStatus.OK, html.encode(), "text/html; charset=utf-8")
        elif path.startswith("/api/"):
            self._slack(path.removeprefix("/api/"), dict(parse_qsl(urlsplit(self.path).query)))
        else:
            self._json(HTTPStatus.NOT_FOUND, {"error": "there is nothing here"})

    def do_POST(self) -> None:
        body = self._body()
        path = urlsplit(self.path).path
        if body is None:
            self._json(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"message": "the body is too large"})
        elif path == "/v2/enqueue":
            self._enqueue(body)
        elif path.startswith("/api/"):
            self._slack(path.removeprefix("/api/"), self._fields(body))
        elif path.startswith("/answer/"):
            self._somebody_answers(path.removeprefix("/answer/"), dict(parse_qsl(body.decode())))
        else:
            self._json(HTTPStatus.NOT_FOUND, {"error": "there is nothing here"})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the signature of http.server
        """Say nothing."""

    def _enqueue(self, body: bytes) -> None:
        parts = self.server.parts
        if parts.is_broken(PAGERDUTY_DOWN):
            self._json(HTTPStatus.SERVICE_UNAVAILABLE, {"status": "unavailable"})
            return
        event = json.loads(body)
        key = str(event.get("dedup_key") or secrets.token_hex(8))
        status = _ACTIONS.get(event.get("event_action"))
        if status is None or not event.get("routing_key"):
            self._json(HTTPStatus.BAD_REQUEST, {"status": "invalid event", "errors": ["event_action or routing_key"]})
            return
        if status == "triggered":
            told = event["payload"]
            links = tuple((str(it.get("text", "")), str(it["href"])) for it in event.get("links", ()))
            parts.pager.trigger(
                Page(
                    key, event["routing_key"], told["summary"], told["severity"], status, parts.clock.now(), links,
                    told.get("custom_details") or {},
                )
            )  # fmt: skip
        else:
            parts.pager.move(key, status)
        self._json(HTTPStatus.ACCEPTED, {"status": "success", "message": "Event processed", "dedup_key": key})

    def _slack(self, method: str, fields: dict[str, Any]) -> None:
        parts = self.server.parts
        pager, channel, ts = parts.pager, str(fields.get("channel", "")), str(fields.get("ts", ""))
        message = Message(
            channel,
            ts,
            str(fields.get("text", "")),
            parts.clock.now(),
            tuple(_parsed(fields.get("blocks")) or ()),
            _parsed(fields.get("metadata")),
            str(fields.get("thread_ts", "")),
        )
        answer: dict[str, Any] = {"ok": True, "channel": channel}
        match method:
            case "auth.test":
                answer |= {
                    "user": "flyball",
                    "user_id": "UFLYBALL",
                    "bot_id": "BFLYBALL",
                    "url": self.server.url,
                }
            case "chat.postMessage":
                answer["ts"] = pager.post(message).ts
                answer["message"] = {"ts": answer["ts"], "text": message.text}
            case "chat.update":
                answer |= {"ts": ts} if pager.edit(message) else {"ok": False, "error": "message_not_found"}
            case "chat.delete":
                answer |= {"ts": ts} if pager.delete(channel, ts) else {"ok": False, "error": "message_not_found"}
            case "conversations.history":
                answer |= {"messages": [_shown(it) for it in pager.messages(channel) if not it.thread][::-1]}
            case "conversations.replies":
                found = [it for it in pager.messages(channel) if ts in (it.ts, it.thread)]
                answer |= {"messages": [_shown(it) for it in found]}
            case "chat.getPermalink":
                answer["permalink"] = f"{self.server.url}/#{fields.get('message_ts', '')}"
            case _:
                answer = {"ok": False, "error": "unknown_method"}
        self._json(HTTPStatus.OK, answer)

    def _somebody_answers(self, where: str, fields: dict[str, str]) -> None:
        parts = self.server.parts
        if not secrets.compare_digest(fields.get("token", ""), parts.form_token):
            self._json(HTTPStatus.FORBIDDEN, {"error": "this form is not from this page"})
            return
        now = parts.clock.now()
        try:
            if where == "pagerduty":
                moved = parts.pager.move(fields.get("key", ""), fields.get("status", ""))
                if moved is not None:
                    parts.answering.pagerduty(moved, moved.status, now)
            else:
                self._press(fields)
        except httpx.HTTPError as error:
            self._json(HTTPStatus.BAD_GATEWAY, {"error": f"Flyball did not take it: {error}"})
            return
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Location", "/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _press(self, fields: dict[str, str]) -> None:
        parts = self.server.parts
        for message in parts.pager.messages(fields.get("channel", "")):
            elements = [it for block in message.blocks for it in block.get("elements", ()) if isinstance(it, dict)]
            for element in elements if message.ts == fields.get("ts") else ():
                if element.get("action_id") == fields.get("action"):
                    parts.answering.slack(message, element, parts.clock.now())
                    return

    def _body(self) -> bytes | None:
        length = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(length) if length <= MOST_BYTES else None

    def _fields(self, body: bytes) -> dict[str, Any]:
        if self.headers.get("Content-Type", "").startswith("application/json"):
            found = json.loads(body or b"{}")
            return found if isinstance(found, dict) else {}
        return dict(parse_qsl(body.decode()))

    def _json(self, status: HTTPStatus, value: object) -> None:
        self._answer(status, json.dumps(value).encode(), "application/json")

    def _answer(self, status: HTTPStatus, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _parsed(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value else value


def _shown(message: Message) -> dict[str, Any]:
    told: dict[str, Any] = {"type": "message", "ts": message.ts, "text": message.text, "bot_id": "BFLYBALL"}
    told |= {"metadata": message.metadata} if message.metadata else {}
    return told | ({"thread_ts": message.thread} if message.thread else {})
