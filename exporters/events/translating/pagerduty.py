"""PagerDuty's webhooks, version 3: incidents that were triggered, reopened, ranked and resolved.

Sources: PagerDuty/developer-docs docs/webhooks/01-Overview.md and the page on verifying signatures:
X-PagerDuty-Signature, `v1=` and the hex of HMAC-SHA256 over the body, one per secret, by commas. Signatures cover no
time of their own; a delivery that is replayed gives the same (source, id) and changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from controlplane.model.event import JSON
from exporters.events.translating import conventions, making
from exporters.events.translating.authenticity import check_hex
from exporters.events.translating.reading import LONGEST_TITLE, Node, root
from exporters.events.translators import Refusal

NAME: Final = "pagerduty"
SIGNATURE: Final = "x-pagerduty-signature"
_LONGEST_KEY: Final = 255
_LOW: Final = "low"
_LOW_PRIORITY: Final = "P3"  # of an incident without a priority that wakes nobody up
_WORDS: Final = {
    "incident.triggered": making.DETECTED,
    "incident.reopened": making.DETECTED,
    "incident.priority_updated": making.REPORTED,
    "incident.service_updated": making.REPORTED,
    "incident.resolved": making.RESOLVED,
}


class PagerDuty:
    """The translator. `own_incident` leads from an `incident_key` to the id of our incident, or to empty text.

    Ours are told by our own events; PagerDuty's copies of them are left out, so that nothing counts twice.
    """

    name = NAME

    def __init__(self, own_incident: Callable[[str], str]) -> None:
        self._own_incident = own_incident

    def authenticate(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now: datetime
    ) -> Refusal | None:
        """By `X-PagerDuty-Signature`."""
        return check_hex(headers.get(SIGNATURE, "").split(","), "v1=", body, secrets)

    def translate(self, headers: Mapping[str, str], payload: object, now: datetime) -> list[dict[str, JSON]]:
        """One event; who has an incident in hand does not matter."""
        told = root(payload).part("event")
        kind, incident = told.needed("event_type"), told.part("data")
        word = _WORDS.get(kind)
        if word is None:
            return []
        key = incident.text("incident_key", _LONGEST_KEY)
        if key and self._own_incident(key):
            return []
        url = incident.url("html_url")
        return [] if word == making.REPORTED and not url else [_incident(told, incident, word, url)]


def _incident(told: Node, incident: Node, word: str, url: str) -> dict[str, JSON]:
    number = incident.number("number") if incident.value.get("number") is not None else ""
    own: making.Own = {
        "name": f"#{number}" if number else "",
        "title": incident.text("title", LONGEST_TITLE),
        "priority": _priority(incident),
        "url": url,
        "startedAt": incident.when("created_at"),
    }
    return making.incident(
        word, id_=told.needed("id"), source=f"/{NAME}", at=told.when("occurred_at"), key=incident.needed("id"),
        service=incident.part("service").text("summary"), environment="", own=own,
    )  # fmt: skip


def _priority(incident: Node) -> str:
    """Its priority; where the account has none, that of its urgency."""
    said = incident.part("priority").text("summary")
    if said:
        return conventions.priority(said) or said
    return _LOW_PRIORITY if incident.text("urgency") == _LOW else ""
