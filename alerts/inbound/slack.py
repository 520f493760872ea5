"""Slack's requests: are they genuine, and what did somebody press or write?

Signatures: `v0=` and the hex of HMAC-SHA256 over `v0:timestamp:body`, at most five minutes old
(docs.slack.dev/authentication/verifying-requests-from-slack). Buttons come as a form with a `payload`, events as JSON.
"""

import hashlib
import hmac
import html
import re
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qs

from alerts.inbound.model import Answer, Deed, Nothing, Unreadable
from alerts.inbound.reading import LONGEST_NAME, LONGEST_TEXT, Object, epoch_time, json_object, part, text
from alerts.slack.message import ACKNOWLEDGE, RESOLVE

VIA: Final = "slack"
TIMESTAMP_HEADER: Final = "x-slack-request-timestamp"
SIGNATURE_HEADER: Final = "x-slack-signature"
OLDEST: Final = timedelta(minutes=5)
_DEEDS: Final = {ACKNOWLEDGE: Deed.ACKNOWLEDGE, RESOLVE: Deed.RESOLVE}
_WRITTEN: Final = ("", "thread_broadcast", "file_share")  # subtypes of messages that people write
_TOKEN: Final = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
_MOST_FIELDS: Final = 20


def is_genuine(body: bytes, timestamp: str, signature: str, secret: str, now: datetime) -> bool:
    """Whether Slack signed it with our secret, not long ago. Compared in constant time."""
    at = epoch_time(timestamp) if timestamp.isdigit() else None
    if not secret or at is None or abs(now - at) > OLDEST:
        return False
    digest = hmac.new(secret.encode(), b":".join((b"v0", timestamp.encode(), body)), hashlib.sha256).hexdigest()
    return hmac.compare_digest(signature.strip().encode(errors="replace"), f"v0={digest}".encode())


def parse(body: bytes, content_type: str, now: datetime) -> Answer | Nothing | Unreadable:
    """What the request says. Never raises. `now` is the time of what names none."""
    if content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
        return _form(body, now)
    document = json_object(body)
    if isinstance(document, Unreadable):
        return document
    match text(document, "type"):
        case "url_verification":
            return Nothing("Slack asks whether we are there", text(document, "challenge"))
        case "event_callback":
            return _event(document)
        case other:
            return Nothing(f"requests {other or 'without a type'} change nothing here")


def _form(body: bytes, now: datetime) -> Answer | Nothing | Unreadable:
    try:
        fields = parse_qs(body.decode(), max_num_fields=_MOST_FIELDS)
    except ValueError:
        return Unreadable("the body is no form that we read")
    if "ssl_check" in fields:
        return Nothing("Slack checks our certificate")
    document = json_object(fields.get("payload", [""])[0])
    if isinstance(document, Unreadable):
        return Unreadable("must be a JSON object", "payload")
    if text(document, "type") != "block_actions":
        return Nothing(f"requests {text(document, 'type') or 'without a type'} change nothing here")
    return _pressed(document, now)


def _pressed(document: Object, now: datetime) -> Answer | Nothing | Unreadable:
    actions = document.get("actions")
    action = actions[0] if isinstance(actions, list) and actions and isinstance(actions[0], dict) else {}
    deed = _DEEDS.get(text(action, "action_id"))
    if deed is None:
        return Nothing("that button is a link, or none of ours")
    incident, user = text(action, "value"), part(document, "user")
    if not incident or not text(user, "id"):
        return Unreadable("must name the incident, and somebody must have pressed it", "payload")
    by = text(user, "username", LONGEST_NAME) or text(user, "name", LONGEST_NAME) or text(user, "id")
    stamp = text(action, "action_ts", 30)
    id_ = f"{VIA}:{text(user, 'id', 30)}:{text(action, 'action_id', 30)}:{incident}:{stamp}"
    return Answer(id_, deed, VIA, by, epoch_time(stamp) or now, incident=incident, user=text(user, "id", 30))


def _event(document: Object) -> Answer | Nothing | Unreadable:
    event = part(document, "event")
    if text(event, "type") != "message" or text(event, "subtype") not in _WRITTEN:
        return Nothing(f"events {text(event, 'type')} {text(event, 'subtype')} change nothing here")
    if "bot_id" in event or not text(event, "user"):
        return Nothing("a program wrote it")
    thread, ts, place = text(event, "thread_ts", 30), text(event, "ts", 30), text(event, "channel", 30)
    if not thread or thread == ts:
        return Nothing("it is in no thread")
    at, said = epoch_time(ts), words_of(text(event, "text", LONGEST_TEXT))
    if at is None or not place:
        return Unreadable("must have a channel and a ts", "event")
    if not said:
        return Nothing("it has no words")
    return Answer(f"{VIA}:{place}:{ts}", Deed.NOTE, VIA, text(event, "user"), at, "", thread, place, said)


def words_of(marked_up: str) -> str:
    """A message as its reader sees it, nearly: links by their text and address, people and channels by their names."""
    return html.unescape(_TOKEN.sub(_spoken, marked_up)).strip()


def _spoken(token: re.Match[str]) -> str:
    target, label = token[1], token[2] or ""
    if target[:1] in ("@", "#"):
        return f"{target[:1]}{label or target[1:]}"
    if target[:1] == "!":
        return label or f"@{target[1:]}"
    return f"{label} ({target})" if label and label != target else target
