"""Slack's Web API as far as we use it: it takes what Slack takes, refuses what is beyond its published limits, and

fails on command. Buttons can be pressed and words said in threads: those give signed requests as Slack sends them.
"""

import copy
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.outside.failing import Answered, Asked, FailingServer

TOKEN: Final = "xoxb-test-token"
SIGNING_SECRET: Final = "8f742231b10e8888abcd99yyyzzz85a5"
CHANNEL: Final = "#intelgraph-critical"
CHANNEL_ID: Final = "C0CRITICAL"
BOT: Final = "B0FLYBALL"
# docs.slack.dev/reference/block-kit; the sum is what people measured, see alerts/slack/limits.py
MOST_BLOCKS, MOST_ALTOGETHER, HEADER, SECTION, FIELD, BUTTON_VALUE = 50, 11_000, 150, 3000, 2000, 2000
_WRITES: Final = ("chat.postMessage", "chat.update", "chat.delete")


@dataclass
class Message:
    """A message as Slack keeps it."""

    ts: str
    channel: str
    text: str
    blocks: list[dict[str, Any]]
    metadata: dict[str, Any]
    thread_ts: str = ""
    edits: int = 0

    def shown(self, *, with_metadata: bool) -> dict[str, Any]:
        """As the API tells it."""
        found = {"type": "message", "ts": self.ts, "text": self.text, "blocks": self.blocks, "bot_id": BOT}
        if self.thread_ts:
            found["thread_ts"] = self.thread_ts
        if with_metadata and self.metadata:
            found["metadata"] = self.metadata
        return found


@dataclass
class SlackRequest:
    """What Slack would POST to us."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class SlackServer(FailingServer):
    """`base_url` is what the SDK is given. `scopes` are those of the token; `posts_left` None: no limit on posts."""

    def __init__(self) -> None:
        super().__init__()
        self.channels = {CHANNEL: CHANNEL_ID, "#intelgraph-status": "C0STATUS"}
        self.tokens = {TOKEN}
        self.scopes = {"chat:write", "channels:history", "users:read"}
        self.users = {"UANN": "ann"}
        self.messages: list[Message] = []
        self.deleted: list[Message] = []
        self.refused: list[tuple[str, str]] = []  # method and error
        self.posts_left: int | None = None
        self.page = 200
        self.epoch = 1_796_000_000
        self._ticks = count(1)

    @property
    def base_url(self) -> str:
        """With a slash at the end."""
        return f"{self.url}/api/"

    def at(self, seconds: float) -> None:
        """Slack's clock: messages get their `ts` from it."""
        self.epoch = int(seconds)

    def answer(self, asked: Asked) -> Answered:
        """One call of the Web API."""
        method = urlsplit(asked.path).path.removeprefix("/api/")
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return self._refuse(method, "invalid_auth")
        if method == "chat.postMessage" and self.posts_left is not None:
            if self.posts_left <= 0:
                return Answered(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(self.retry_after)})
            self.posts_left -= 1
        handler = _METHODS.get(method)
        if handler is None:
            return self._refuse(method, "unknown_method")
        asks = _arguments(asked)
        if method in _WRITES and "chat:write" not in self.scopes:
            return self._refuse(method, "missing_scope")
        return handler(self, asks)

    def calls(self, method: str) -> int:
        """How often a method was called, failed calls too."""
        return sum(urlsplit(asked.path).path == f"/api/{method}" for asked in self.asked)

    def top(self) -> list[Message]:
        """Messages of channels, replies aside, oldest first."""
        return [each for each in self.messages if not each.thread_ts]

    def thread(self, ts: str) -> list[Message]:
        """Replies, oldest first."""
        return [each for each in self.messages if each.thread_ts == ts]

    def press(self, message: Message, action_id: str, *, user: str = "ann", at: int = 0) -> SlackRequest:
        """The request that Slack sends when somebody presses a button of a message."""
        buttons = [e for block in message.blocks if block["type"] == "actions" for e in block["elements"]]
        button = next(each for each in buttons if each["action_id"] == action_id)
        action = {"type": "button", "action_id": action_id, "block_id": "b", "value": button.get("value", "")}
        payload = {
            "type": "block_actions",
            "user": {"id": f"U{user.upper()}", "username": user, "name": user, "team_id": "T1"},
            "api_app_id": "A1",
            "trigger_id": f"{next(self._ticks)}.trigger",
            "team": {"id": "T1", "domain": "intelgraph"},
            "container": {"type": "message", "message_ts": message.ts, "channel_id": message.channel},
            "channel": {"id": message.channel, "name": "x"},
            "actions": [action | {"action_ts": f"{at or self.epoch}.{next(self._ticks):06d}"}],
            "response_url": f"{self.url}/actions/T1/1/x",
        }
        body = urlencode({"payload": json.dumps(payload)}).encode()
        return signed(body, at or self.epoch, content_type="application/x-www-form-urlencoded")

    def say(self, message: Message, text: str, *, user: str = "UANN", at: int = 0, **more: Any) -> SlackRequest:
        """The request that Slack sends when somebody writes in the message's thread."""
        number = next(self._ticks)
        event = {
            "type": "message",
            "user": user,
            "text": text,
            "ts": f"{at or self.epoch}.{number:06d}",
            "thread_ts": message.ts,
            "channel": message.channel,
            "channel_type": "channel",
        }
        whole = {"type": "event_callback", "team_id": "T1", "event_id": f"Ev{number}", "event": event | more}
        return signed(json.dumps(whole | {"event_time": at or self.epoch}).encode(), at or self.epoch)

    def _refuse(self, method: str, error: str, details: list[str] | None = None) -> Answered:
        self.refused.append((method, error))
        return Answered(200, {"ok": False, "error": error} | ({"errors": details} if details else {}))

    def _ts(self) -> str:
        return f"{self.epoch}.{next(self._ticks):06d}"

    def _place(self, asks: dict[str, Any]) -> str | None:
        name = str(asks.get("channel", ""))
        return name if name in self.channels.values() else self.channels.get(name)

    def _post(self, asks: dict[str, Any]) -> Answered:
        place = self._place(asks)
        if place is None:
            return self._refuse("chat.postMessage", "channel_not_found")
        if problems := content_problems(asks):
            return self._refuse("chat.postMessage", *problems)
        thread = asks.get("thread_ts") or ""
        message = Message(self._ts(), place, asks["text"], asks.get("blocks", []), asks.get("metadata", {}), thread)
        self.messages.append(message)
        return self._ok(ts=message.ts, channel=place, message=message.shown(with_metadata=True))

    def _update(self, asks: dict[str, Any]) -> Answered:
        message = self._message(asks)
        if message is None:
            return self._refuse("chat.update", "message_not_found")
        if problems := content_problems(asks):
            return self._refuse("chat.update", *problems)
        message.text, message.blocks = asks["text"], asks.get("blocks", [])
        message.metadata = asks.get("metadata", message.metadata)
        message.edits += 1
        return self._ok(ts=message.ts, channel=message.channel)

    def _delete(self, asks: dict[str, Any]) -> Answered:
        message = self._message(asks)
        if message is None:
            return self._refuse("chat.delete", "message_not_found")
        self.messages.remove(message)
        self.deleted.append(message)
        return self._ok(ts=message.ts, channel=message.channel)

    def _history(self, asks: dict[str, Any]) -> Answered:
        place = self._by_id(asks)
        if "channels:history" not in self.scopes:
            return self._refuse("conversations.history", "missing_scope")
        if place is None:
            return self._refuse("conversations.history", "channel_not_found")
        oldest = float(asks.get("oldest") or 0)
        found = [each for each in self.top() if each.channel == place and float(each.ts) >= oldest]
        return self._paged(asks, sorted(found, key=lambda each: each.ts, reverse=True))

    def _replies(self, asks: dict[str, Any]) -> Answered:
        if "channels:history" not in self.scopes:
            return self._refuse("conversations.replies", "missing_scope")
        first = self._message(asks)
        if first is None:
            return self._refuse("conversations.replies", "thread_not_found")
        return self._paged(asks, [first, *self.thread(first.ts)])

    def _permalink(self, asks: dict[str, Any]) -> Answered:
        ts = str(asks.get("message_ts", ""))
        return self._ok(permalink=f"https://intelgraph.slack.com/archives/{asks['channel']}/p{ts.replace('.', '')}")

    def _user(self, asks: dict[str, Any]) -> Answered:
        name = self.users.get(str(asks.get("user", "")))
        if "users:read" not in self.scopes:
            return self._refuse("users.info", "missing_scope")
        if name is None:
            return self._refuse("users.info", "user_not_found")
        return self._ok(user={"id": asks["user"], "name": f"{name}.x", "profile": {"display_name": name}})

    def _by_id(self, asks: dict[str, Any]) -> str | None:
        """History takes ids only."""
        name = str(asks.get("channel", ""))
        return name if name in self.channels.values() else None

    def _message(self, asks: dict[str, Any]) -> Message | None:
        place, ts = self._by_id(asks), asks.get("ts")
        return next((each for each in self.messages if each.ts == ts and each.channel == place), None)

    def _paged(self, asks: dict[str, Any], found: list[Message]) -> Answered:
        size = min(int(asks.get("limit") or self.page), self.page)
        start = int(asks.get("cursor") or 0)
        with_metadata = str(asks.get("include_all_metadata", "")).lower() in ("1", "true")
        shown = [each.shown(with_metadata=with_metadata) for each in found[start : start + size]]
        further = str(start + size) if start + size < len(found) else ""
        return self._ok(messages=shown, has_more=bool(further), response_metadata={"next_cursor": further})

    def _ok(self, **more: Any) -> Answered:
        return Answered(200, copy.deepcopy({"ok": True} | more))


_METHODS: Final = {
    "chat.postMessage": SlackServer._post,
    "chat.update": SlackServer._update,
    "chat.delete": SlackServer._delete,
    "chat.getPermalink": SlackServer._permalink,
    "users.info": SlackServer._user,
    "conversations.history": SlackServer._history,
    "conversations.replies": SlackServer._replies,
}


def signed(
    body: bytes, at: int, *, secret: str = SIGNING_SECRET, content_type: str = "application/json"
) -> SlackRequest:
    """A request with Slack's signature."""
    digest = hmac.new(secret.encode(), b"v0:%d:" % at + body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": content_type,
        "X-Slack-Request-Timestamp": str(at),
        "X-Slack-Signature": f"v0={digest}",
    }
    return SlackRequest(body, headers)


def content_problems(asks: dict[str, Any]) -> tuple[str, list[str]] | None:
    """The error that Slack would answer with, and where; None for what it takes."""
    if not asks.get("text"):
        return "no_text", []
    if len(asks["text"]) > 40_000:
        return "msg_too_long", []
    blocks = asks.get("blocks") or []
    if len(json.dumps(blocks, ensure_ascii=False)) > MOST_ALTOGETHER:
        return "msg_blocks_too_long", []
    problems = [f"no more than {MOST_BLOCKS} blocks"] if len(blocks) > MOST_BLOCKS else []
    for number, block in enumerate(blocks):
        problems += [f"{problem} [json-pointer:/blocks/{number}]" for problem in _block_problems(block)]
    actions = [e.get("action_id") for b in blocks if b.get("type") == "actions" for e in b["elements"]]
    if len(set(actions)) != len(actions):
        problems.append("action_id is not unique")
    metadata = asks.get("metadata")
    if metadata is not None and not (metadata.get("event_type") and isinstance(metadata.get("event_payload"), dict)):
        return "invalid_metadata_format", []
    return ("invalid_blocks", problems) if problems else None


def _block_problems(block: dict[str, Any]) -> list[str]:
    match block.get("type"):
        case "header":
            return _text_problems(block["text"], HEADER, kinds=("plain_text",))
        case "section":
            return _section_problems(block)
        case "context":
            elements = block["elements"]
            bad = [p for each in elements for p in _text_problems(each, SECTION)]
            return bad + ([] if 1 <= len(elements) <= 10 else ["1 to 10 elements"])
        case "actions":
            elements = block["elements"]
            bad = [p for each in elements for p in _button_problems(each)]
            return bad + ([] if 1 <= len(elements) <= 25 else ["no more than 25 items allowed"])
        case "divider":
            return []
    return [f"unsupported type {block.get('type')}"]


def _section_problems(block: dict[str, Any]) -> list[str]:
    if "text" not in block and "fields" not in block:
        return ["a section needs text or fields"]
    found = _text_problems(block["text"], SECTION) if "text" in block else []
    if "fields" in block:
        found += [p for each in block["fields"] for p in _text_problems(each, FIELD)]
        found += [] if 1 <= len(block["fields"]) <= 10 else ["1 to 10 fields"]
    return found


def _button_problems(button: dict[str, Any]) -> list[str]:
    found = _text_problems(button["text"], 75, kinds=("plain_text",))
    for name, most in (("value", BUTTON_VALUE), ("url", 3000), ("action_id", 255)):
        if len(button.get(name, "")) > most:
            found.append(f"{name} is longer than {most}")
    if button.get("style", "primary") not in ("primary", "danger"):
        found.append("no such style")
    if confirm := button.get("confirm"):
        for name, most in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
            found += _text_problems(confirm[name], most)
    return found


def _text_problems(text: dict[str, Any], most: int, *, kinds: tuple[str, ...] = ("mrkdwn", "plain_text")) -> list[str]:
    found = []
    if text.get("type") not in kinds:
        found.append(f"text must be of {kinds}")
    length = len(text.get("text", "").encode("utf-16-le")) // 2
    if not 1 <= length <= most:
        found.append(f"must be 1 to {most} characters, not {length}")
    if "verbatim" in text and text["type"] != "mrkdwn":
        found.append("verbatim is for mrkdwn only")
    return found


def _arguments(asked: Asked) -> dict[str, Any]:
    """As JSON, as a form, or in the query."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}
    if asked.headers.get("content-type", "").startswith("application/json"):
        return query | json.loads(asked.body)
    return query | {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
