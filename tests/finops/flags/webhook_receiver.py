"""The other side of the flag webhook, as docs/reference/flag-webhook.md asks for it: write yours from it."""

import base64
import hashlib
import hmac
import json
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.finops.flags.serving import Reply, Request

KEY = b"32 bytes that nobody else knows!"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
_TOLERANCE_SECONDS = 300


@dataclass
class Receiver:
    """Flags with value, version and the id of the last write that came by the webhook."""

    now: float
    flags: dict[str, dict[str, Any]] = field(default_factory=dict)
    choices: dict[str, list[Any]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    answered: dict[str, Reply] = field(default_factory=dict)

    def edit(self, flag: str, value: Any) -> None:
        """A person's change."""
        with self.lock:
            self._set(flag, value)

    def __call__(self, request: Request) -> Reply:
        if not self._is_signed(request):
            return _json(401, {"error": "the signature does not fit"})
        with self.lock:
            if request.method == "GET":
                names = parse_qs(urlsplit(request.target).query).get("flags", [""])[0].split(",")
                return _json(200, {"flags": {name: self.flags[name] for name in names if name in self.flags}})
            id_ = request.headers["webhook-id"]
            if id_ not in self.answered:
                self.answered[id_] = self._apply(json.loads(request.body))
            return self.answered[id_]

    def _is_signed(self, request: Request) -> bool:
        id_, at = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "0")
        if abs(int(at) - self.now) > _TOLERANCE_SECONDS:
            return False  # somebody replays an old request
        digest = hmac.new(KEY, f"{id_}.{at}.".encode() + request.body, hashlib.sha256).digest()
        wanted = "v1," + base64.b64encode(digest).decode()
        given = request.headers.get("webhook-signature", "").split(" ")  # several while the secret is changed
        return any(hmac.compare_digest(wanted, each) for each in given)

    def _apply(self, body: dict[str, Any]) -> Reply:
        """All of the changes or none of them."""
        changes = body["changes"]
        unknown = [c["flag"] for c in changes if c["flag"] not in self.flags]
        wrong = [
            c["flag"] for c in changes if c["flag"] in self.choices and not _has(self.choices[c["flag"]], c["value"])
        ]
        if unknown or wrong:
            return _json(422, {"error": f"cannot set {', '.join(unknown + wrong)}"})
        due = [c for c in changes if not _same(self.flags[c["flag"]]["value"], c["value"])]
        conflicts = [c["flag"] for c in due if self._differs(c)]
        if conflicts:
            return _json(409, {"conflicts": conflicts})
        for change in due:
            self._set(change["flag"], change["value"], body["id"])
        return _json(200, {})

    def _differs(self, change: dict[str, Any]) -> bool:
        held = self.flags[change["flag"]]
        version = change.get("expectedVersion")
        return not _same(held["value"], change["expected"]) or bool(version and version != held["version"])

    def _set(self, flag: str, value: Any, write: str | None = None) -> None:
        held = self.flags.get(flag, {"version": "0", "lastWrite": ""})
        last = held["lastWrite"] if write is None else write
        self.flags[flag] = {"value": value, "version": str(int(held["version"]) + 1), "lastWrite": last}


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


def _has(choices: list[Any], value: Any) -> bool:
    return any(_same(each, value) for each in choices)


def _json(status: int, body: Any) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})
