"""What PagerDuty and Slack send to Flyball when somebody acknowledges there, signed as they sign it.

PagerDuty v3 webhooks: `X-PagerDuty-Signature: v1=` and the HMAC-SHA256 of the body. Slack: `X-Slack-Signature: v0=`
and that of `v0:TIMESTAMP:BODY` (slack_sdk's SignatureVerifier makes it).
"""

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

import httpx
from slack_sdk.signature import SignatureVerifier

from flyball.demo.pager.model import Message, Page

_TIMEOUT_SECONDS: Final = 10
_EVENTS: Final = {"acknowledged": "incident.acknowledged", "resolved": "incident.resolved"}
PERSON: Final = "ann"


@dataclass(frozen=True, slots=True)
class Answering:
    """Where Flyball listens, and the secrets that it shares with PagerDuty and Slack."""

    flyball_url: str
    pagerduty_secret: str
    slack_secret: str

    def pagerduty(self, page: Page, status: str, at: datetime) -> None:
        """Somebody acknowledged or resolved a page there. Raises httpx.HTTPError when Flyball does not take it."""
        person = {"id": "PANN", "type": "user_reference", "summary": PERSON}
        event = {
            "id": secrets.token_hex(8),
            "event_type": _EVENTS[status],
            "resource_type": "incident",
            "occurred_at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "agent": person,
            "data": {
                "id": "Q" + hashlib.sha256(page.dedup_key.encode()).hexdigest()[:13].upper(),
                "type": "incident",
                "status": status,
                "incident_key": page.dedup_key,
                "title": page.summary,
                "assignees": [person],
            },
        }
        body = json.dumps({"event": event}).encode()
        digest = hmac.new(self.pagerduty_secret.encode(), body, hashlib.sha256).hexdigest()
        self._post("pagerduty", body, {"X-PagerDuty-Signature": f"v1={digest}", "Content-Type": "application/json"})

    def slack(self, message: Message, action: dict[str, Any], at: datetime) -> None:
        """Somebody pressed a button of a message. Raises httpx.HTTPError when Flyball does not take it."""
        payload = {
            "type": "block_actions",
            "user": {"id": "UANN", "username": PERSON, "name": PERSON},
            "channel": {"id": message.channel, "name": message.channel.lstrip("#")},
            "container": {"type": "message", "message_ts": message.ts, "channel_id": message.channel},
            "message": {"ts": message.ts, "metadata": message.metadata or {}},
            "actions": [{**action, "type": "button", "action_ts": f"{at.timestamp():.6f}"}],
        }
        body = urlencode({"payload": json.dumps(payload)}).encode()
        timestamp = str(int(at.timestamp()))
        signature = SignatureVerifier(self.slack_secret).generate_signature(timestamp=timestamp, body=body)
        headers = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": str(signature)}
        self._post("slack", body, headers | {"Content-Type": "application/x-www-form-urlencoded"})

    def _post(self, hook: str, body: bytes, headers: dict[str, str]) -> None:
        url = f"{self.flyball_url}/hooks/{hook}"
        httpx.post(url, content=body, headers=headers, timeout=_TIMEOUT_SECONDS).raise_for_status()
