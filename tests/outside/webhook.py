"""A receiver of Standard Webhooks: it verifies what comes as the specification says, and fails on command."""

import base64
import hashlib
import hmac
import json
from typing import Any, Final

from tests.outside.failing import Answered, Asked, FailingServer

SECRET: Final = "whsec_" + base64.b64encode(b"k" * 32).decode()
PATH: Final = "/in?a=1"


class WebhookReceiver(FailingServer):
    """`deliveries` are the bodies that were signed with our secret, in order; `seen` are their ids, each once."""

    def __init__(self, secret: str = SECRET) -> None:
        super().__init__()
        self._key = base64.b64decode(secret.removeprefix("whsec_"))
        self.deliveries: list[dict[str, Any]] = []
        self.seen: list[str] = []
        self.forged: list[Asked] = []
        self.status = 204

    @property
    def address(self) -> str:
        """Where deliveries go."""
        return self.url.replace("127.0.0.1", "localhost") + PATH

    def answer(self, asked: Asked) -> Answered:
        """2xx for what is signed; the same id twice is one delivery."""
        if not self._is_genuine(asked) or asked.path != PATH:
            self.forged.append(asked)
            return Answered(401, {"error": "the signature does not match"})
        if self.status < 300 and asked.headers["webhook-id"] not in self.seen:
            self.seen.append(asked.headers["webhook-id"])
            self.deliveries.append(json.loads(asked.body))
        return Answered(self.status, b"", {"Location": "http://localhost:1/"} if self.status // 100 == 3 else {})

    def _is_genuine(self, asked: Asked) -> bool:
        id_, timestamp = asked.headers.get("webhook-id", ""), asked.headers.get("webhook-timestamp", "")
        signed = f"{id_}.{timestamp}.".encode() + asked.body
        expected = base64.b64encode(hmac.new(self._key, signed, hashlib.sha256).digest()).decode()
        given = asked.headers.get("webhook-signature", "").split(" ")
        return bool(id_) and timestamp.isdigit() and f"v1,{expected}" in given
