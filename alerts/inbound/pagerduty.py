"""PagerDuty's webhooks, version 3: are they genuine, and what did somebody do?

Signatures: X-PagerDuty-Signature, `v1=` and the hex of HMAC-SHA256 over the body, one per secret, by commas (developer
docs, Webhooks, Verifying Signatures). They cover no time of their own: what happened too long ago is not taken.
"""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from alerts.inbound.model import Answer, Deed, Nothing, Unreadable
from alerts.inbound.reading import LONGEST_NAME, Object, json_object, part, text, time_of

VIA: Final = "pagerduty"
SIGNATURE_HEADER: Final = "x-pagerduty-signature"
OLDEST: Final = timedelta(hours=1)  # it tries again for about 20 minutes, and queues behind what it tries
AHEAD: Final = timedelta(minutes=5)
_MOST_SIGNATURES: Final = 10
_DEEDS: Final = {"incident.acknowledged": Deed.ACKNOWLEDGE, "incident.resolved": Deed.RESOLVE}
_MACHINES: Final = ("inbound_integration", "service")  # types of agents that are no people: our own events among them


def is_genuine(body: bytes, signatures: str, secrets: Iterable[str]) -> bool:
    """Whether one of the signatures was made with one of the secrets. Compared in constant time."""
    given = [each.strip() for each in signatures.split(",")[:_MOST_SIGNATURES]]
    made = [f"v1={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}" for secret in secrets if secret]
    matches = [hmac.compare_digest(one.encode(errors="replace"), other.encode()) for one in given for other in made]
    return any(matches)


def parse(body: bytes, now: datetime) -> Answer | Nothing | Unreadable:
    """What the event says. Never raises."""
    document = json_object(body)
    if isinstance(document, Unreadable):
        return document
    event = part(document, "event")
    kind, id_ = text(event, "event_type"), text(event, "id")
    if not kind or not id_:
        return Unreadable("is missing its event_type or id: is this a version 3 webhook?", "event")
    if kind not in _DEEDS:
        return Nothing(f"events {kind} change nothing here")
    at = time_of(text(event, "occurred_at"))
    if at is None:
        return Unreadable("must be a time as in RFC 3339", "event.occurred_at")
    if not now - OLDEST <= at <= now + AHEAD:
        return Nothing(f"it happened at {at:%Y-%m-%dT%H:%M:%SZ}, too far from now")
    return _answer(event, _DEEDS[kind], id_, at)


def _answer(event: Object, deed: Deed, id_: str, at: datetime) -> Answer | Nothing | Unreadable:
    agent = part(event, "agent")
    kind = text(agent, "type")
    if not kind or any(machine in kind for machine in _MACHINES):
        return Nothing(f"{kind or 'nobody'} did it, no person")
    key = text(part(event, "data"), "incident_key", 255)
    if not key:
        return Unreadable("is missing: it says which incident it is", "event.data.incident_key")
    by = " ".join(text(agent, "summary", LONGEST_NAME).split()) or text(agent, "id") or "somebody"
    return Answer(f"{VIA}:{id_}", deed, VIA, by, at, outside_id=key)
