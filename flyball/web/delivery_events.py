"""The pages on which events of deliveries are inspected: what came, what nobody knows, what was refused."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from controlplane.model.delivery import EventQuery, StoredDeliveryEvent
from exporters.dora.report.single_views import event_data
from exporters.dora.report.views import moment
from flyball.web import api, delivery_words, pages
from flyball.web.delivery_gathering import EVENTS_SHOWN, DeliveryGathering

MOST_OF_BODY: Final = 64 * 1024  # characters
_TEXTS: Final = ("type", "source", "subject", "sender")
_LONGEST: Final = 500  # characters of what a reader looks for
_LARGEST_SEQUENCE: Final = 18  # digits


@dataclass(frozen=True, slots=True)
class Counted:
    """How many events of a sender and type ever came, by what became of them."""

    sender: str
    type: str
    accepted: int
    unknown: int
    duplicate: int
    conflict: int
    refused: int


class EventPages:
    """The endpoints."""

    def __init__(self, gathering: DeliveryGathering) -> None:
        self._gathering = gathering

    def index(self, request: Request) -> Response:
        """The newest that fit, and how many ever came."""
        query = _query(request)
        seen = self._gathering.events(query)
        return pages.render(
            request,
            "delivery_events.html",
            {
                "scene": self._gathering.scene(),
                "seen": seen,
                "query": query,
                "counted": counted(seen.value.counts) if seen.value else [],
                "older": _older(request, seen.value.found) if seen.value else "",
                "words": delivery_words,
            },
        )

    def one(self, request: Request) -> Response:
        """One of them, as it was kept."""
        stored = self._known(request)
        body, is_cut = body_text(stored.event.body)
        values = {"stored": stored, "it": stored.event, "body": body, "is_cut": is_cut}
        return pages.render(request, "delivery_event.html", {"scene": self._gathering.scene(), **values})

    def api_one(self, request: Request) -> Response:
        """The same for programs; `body` is the event as text."""
        stored = self._known(request)
        body, is_cut = body_text(stored.event.body)
        told = {**event_data(stored.event), "sequence": stored.sequence, "received_at": moment(stored.received_at)}
        return api.answer({**told, "body": body, "body_is_cut": is_cut})

    def _known(self, request: Request) -> StoredDeliveryEvent:
        asked = request.query_params
        seen = self._gathering.event(readable(asked.get("source", "")), readable(asked.get("id", "")))
        if seen.value is None and seen.failure:
            raise HTTPException(503, f"The database does not answer: {seen.failure}")
        if seen.value is None:
            raise HTTPException(404, "There is no event of that source and id (any more).")
        return seen.value

    def api_index(self, request: Request) -> Response:
        """The same for programs."""
        seen = self._gathering.events(_query(request))
        if seen.value is None:
            return api.answer({"error": seen.failure}, 503)
        return api.answer(
            {
                "events": [
                    {**event_data(each.event), "sequence": each.sequence, "received_at": moment(each.received_at)}
                    for each in seen.value.found
                ],
                "counts": [
                    {"sender": sender, "type": type_ or None, "outcome": outcome, "events": count}
                    for (sender, type_, outcome), count in sorted(seen.value.counts.items())
                ],
                "behind": {"events": seen.value.behind.events, "days": seen.value.behind.days},
                "failure": seen.failure or None,
            }
        )


def counted(counts: Mapping[tuple[str, str, str], int]) -> list[Counted]:
    """Rows of a table, by sender and type."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for (sender, type_, outcome), count in counts.items():
        found.setdefault((sender, type_), {})[outcome] = count
    outcomes = ("accepted", "unknown", "duplicate", "conflict", "refused")
    return [
        Counted(sender, type_, *(own.get(outcome, 0) for outcome in outcomes))
        for (sender, type_), own in sorted(found.items())
    ]


def body_text(body: bytes) -> tuple[str, bool]:
    """An event as it was kept, indented, and whether the end of it is left out."""
    try:
        text = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        text = body.decode("utf-8", "replace")
    return text[:MOST_OF_BODY], len(text) > MOST_OF_BODY


def _query(request: Request) -> EventQuery:
    asked = request.query_params
    before = asked.get("before", "")
    text = {name: readable(asked.get(name, "")) for name in _TEXTS}
    return EventQuery(
        type_prefix=text["type"],
        source=text["source"],
        subject=text["subject"],
        sender=text["sender"],
        only_unknown=asked.get("unknown", "") == "1",
        before_sequence=int(before) if before.isdecimal() and len(before) <= _LARGEST_SEQUENCE else None,
        limit=EVENTS_SHOWN,
    )


def readable(asked: str) -> str:
    """What a reader typed, without what no database takes: half characters, control characters, no end."""
    kept = asked[:_LONGEST].encode("utf-8", "ignore").decode()
    return "".join(each for each in kept if each.isprintable()).strip()


def _older(request: Request, found: tuple[StoredDeliveryEvent, ...]) -> str:
    """The query of the next page; empty at the end."""
    if len(found) < EVENTS_SHOWN:
        return ""
    return str(request.url.include_query_params(before=found[-1].sequence).query)
