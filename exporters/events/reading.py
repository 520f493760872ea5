"""Delivery events as HTTP, files and translators bring them: read, checked, and made ready to be stored."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

from controlplane.collection import collection_paused
from controlplane.model.delivery import DeliveryEvent
from controlplane.wording import duration
from exporters.cloudevents.attributes import Attributes, attribute_faults, attributes, instant
from exporters.cloudevents.faults import MOST_TOLD, Fault, Malformed, kind_of
from exporters.cloudevents.requests import Mode, event_in_headers
from exporters.cloudevents.strict_json import json_faults, read_json, written_json
from exporters.events.cdevents.checking import TIME, Checking
from exporters.events.cdevents.schemas import PREFIX, published
from exporters.events.cdevents.wording import MOST
from exporters.events.entity_of import entity_of

MAX_EVENTS: Final = 10_000  # of one batch
MAX_EVENT_BYTES: Final = 256 * 1024  # of one event, spelled as short as can be
_LARGE: Final = 16 * 1024  # bytes of an event of which one fault is told: thousands of them could be found
MAX_ENTITY_BYTES: Final = 2_000  # what an index of PostgreSQL takes
MOST_TYPES: Final = 10  # unknown types that an answer names
EARLIEST: Final = datetime(1971, 1, 1, tzinfo=UTC)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An event as it came, or why there is none. `place` such as `event 3`, empty for the only one.

    `is_suspicious` when its JSON says something twice, or a number that cannot be kept.
    """

    place: str
    event: object
    is_suspicious: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one request, or one part of a file, holds.

    `refused` counts the faulty events, of which `faults` tells the first hundred faults. `unknown_types` are the first
    ones that are kept without being understood. `is_unreadable`: it holds no CloudEvents at all.
    """

    events: tuple[DeliveryEvent, ...] = ()
    faults: tuple[Fault, ...] = ()
    refused: int = 0
    unknown_types: tuple[str, ...] = ()
    is_unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """`sender` is how events come (a label), `tolerance` how far their time may lie ahead of our clock."""

    sender: str
    tolerance: timedelta = timedelta(minutes=5)


class Faulty(Exception):
    """An event with faults."""

    def __init__(self, faults: list[Malformed]) -> None:
        super().__init__("; ".join(str(fault.at("")) for fault in faults))
        self.faults = faults


@dataclass(slots=True)
class _Gathered:
    events: list[DeliveryEvent] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    refused: int = 0
    unknown: dict[str, None] = field(default_factory=dict)

    def delivery(self) -> Delivery:
        types = tuple(list(self.unknown)[:MOST_TYPES])
        return Delivery(tuple(self.events), tuple(self.faults[:MOST_TOLD]), self.refused, types)


class EventReader:
    """Makes storable events of CloudEvents. Pure: the same event at the same time gives the same."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._checking = Checking(published())

    def from_body(self, body: bytes, mode: Mode, headers: Mapping[str, str], now: datetime) -> Delivery:
        """What a request holds."""
        with collection_paused():
            try:
                candidates = _binary(headers, body) if mode.is_binary else _in_json(body, is_batch=mode.is_batch)
            except Malformed as error:
                return Delivery(faults=(error.at(""),), refused=1, is_unreadable=True)
            if isinstance(candidates, Delivery):
                return candidates
            return self.gathered(candidates, now)

    def gathered(self, candidates: Iterable[Candidate], now: datetime) -> Delivery:
        """Read each; faults do not stop the others from being looked at."""
        found = _Gathered()
        for candidate in candidates:
            try:
                event = self.event(candidate, now, most_faults=MOST if len(found.faults) < MOST_TOLD else 1)
            except Faulty as error:
                found.refused += 1
                found.faults += [fault.at(candidate.place) for fault in error.faults]
                continue
            found.events.append(event)
            if not event.is_known:
                found.unknown[event.type] = None
        return found.delivery()

    def event(self, candidate: Candidate, now: datetime, *, most_faults: int = MOST) -> DeliveryEvent:
        """One event. Raises `Faulty` with at most so many faults: looking for more takes time."""
        if isinstance(candidate.event, Malformed):
            raise Faulty([candidate.event])
        body = _body(candidate)
        if len(body) > _LARGE:
            most_faults = 1
        try:
            about = attributes(candidate.event)
            is_checked = self._checking.is_known(about.type)
            if not is_checked or self._checking.is_good(about):
                return self._made(candidate.event, body, about, is_checked=is_checked, now=now)
        except Malformed as error:
            raise Faulty(self._faults(candidate.event, most_faults) or [error]) from None
        raise Faulty(self._faults(candidate.event, most_faults))

    def _faults(self, event: object, most: int) -> list[Malformed]:
        """What is wrong with its attributes, and with what it holds."""
        faults = attribute_faults(event)
        if isinstance(event, dict) and isinstance(event.get("type"), str) and self._checking.is_known(event["type"]):
            faults += self._checking.faults(_readable(event), most)
        return faults[:most]

    def _made(self, event: Any, body: bytes, about: Attributes, *, is_checked: bool, now: datetime) -> DeliveryEvent:
        if is_checked and (about.time is None or not about.subject):
            body = written_json(_completed(event, about))
        time = about.time
        if time is not None:
            self._check_time(time, "time" if event.get("time") is not None else TIME, now)
        return DeliveryEvent(
            source=about.source,
            id=about.id,
            type=about.type,
            subject=about.subject,
            time=now if time is None else time,
            entity=_entity(about) if is_checked else "",
            sender=self._terms.sender,
            digest=_digest(about),
            body=body,
            trace_id=about.trace_id,
        )

    def _check_time(self, time: datetime, name: str, now: datetime) -> None:
        ahead = time - now
        if ahead > self._terms.tolerance:
            reason = (
                f"lies {duration(ahead)} ahead of our clock ({now:%Y-%m-%dT%H:%M:%SZ}), more than the "
                f"{duration(self._terms.tolerance)} that are allowed: one of the two clocks is wrong"
            )
            raise Malformed(name, reason)
        if time < EARLIEST:
            raise Malformed(name, f"{time:%Y-%m-%d} lies before {EARLIEST.year}: the sender's clock was never set")


def _body(candidate: Candidate) -> bytes:
    """The event spelled as it is kept. Raises `Faulty` for JSON that cannot be."""
    event = candidate.event
    try:
        found = list(islice(json_faults(event, ""), MOST)) if candidate.is_suspicious else []
        if found:
            raise Faulty(found)
        body = written_json(event)
    except Malformed:
        raise Faulty(list(islice(json_faults(event, ""), MOST))) from None
    if len(body) > MAX_EVENT_BYTES:  # before anything looks for all that is wrong with it
        raise Faulty([Malformed("", f"is {len(body):,} bytes long; one event may have {MAX_EVENT_BYTES:,}")])
    return body


def _readable(event: dict[str, Any]) -> Attributes:
    """Attributes of an event that has faults, as far as they are what they should be."""
    id_, source, subject = (
        text if isinstance(text := event.get(name), str) else "" for name in ("id", "source", "subject")
    )
    time = event.get("time")
    return Attributes(
        id_, source, event["type"], subject, instant(time) if isinstance(time, str) else None, event.get("data"), ""
    )


def _completed(event: dict[str, Any], about: Attributes) -> dict[str, Any]:
    """With subject and time of the CDEvent where the CloudEvent leaves them out."""
    subject, context = about.data["subject"], about.data["context"]
    about.subject = about.subject or subject["id"]
    about.time = about.time or instant(context["timestamp"])
    return event | {"subject": about.subject, "time": event.get("time") or context["timestamp"]}


def _entity(about: Attributes) -> str:
    entity = entity_of(about.type, about.data)
    if len(entity.encode()) > MAX_ENTITY_BYTES:
        raise Malformed("data.subject", f"its names are longer than {MAX_ENTITY_BYTES:,} bytes together")
    return entity


def _digest(about: Attributes) -> bytes:
    """Of what it says: not of how it came (trace, headers), and of no time that it leaves out."""
    time = None if about.time is None else (about.time - _EPOCH) // _MICROSECOND
    return hashlib.sha256(written_json([about.type, about.subject, time, about.data])).digest()


def _binary(headers: Mapping[str, str], body: bytes) -> list[Candidate]:
    event = event_in_headers(headers)
    if not body:
        return [Candidate("", event)]
    read = read_json(body)
    return [Candidate("", event | {"data": read.value}, read.is_suspicious)]


def _in_json(body: bytes, *, is_batch: bool) -> Iterator[Candidate] | list[Candidate] | Delivery:
    read = read_json(body)
    if not is_batch:
        return [Candidate("", read.value, read.is_suspicious)]
    if not isinstance(read.value, list):
        raise Malformed("", f"a batch is a list of events, not {kind_of(read.value)}")
    if len(read.value) > MAX_EVENTS:
        reason = f"the batch holds {len(read.value):,} events, at most {MAX_EVENTS:,} are taken at once"
        return Delivery(faults=(Fault("", "", reason),), refused=len(read.value), is_unreadable=True)
    return (Candidate(f"event {index}", event, read.is_suspicious) for index, event in enumerate(read.value))


def is_cdevent(type_: str) -> bool:
    """Whether a type claims to be one of CDEvents, known or not."""
    return type_.startswith(PREFIX)
