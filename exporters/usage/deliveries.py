"""Usage as HTTP brings it: structured, as a batch, or binary."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from controlplane.collection import collection_paused
from controlplane.model.usage import AsideEvent, UsageEvent
from exporters.cloudevents.exact_json import ExactJSON
from exporters.cloudevents.faults import MOST_TOLD, Fault, Malformed, kind_of
from exporters.cloudevents.requests import event_in_headers
from exporters.usage.measuring import Measurer

MAX_EVENTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one request or one part of a file holds: events to count, events to set aside, and faults.

    `refused` counts the faulty events, of which `faults` tells the first hundred.
    """

    events: tuple[UsageEvent, ...] = ()
    aside: tuple[AsideEvent, ...] = ()
    faults: tuple[Fault, ...] = ()
    refused: int = 0

    @property
    def tenants(self) -> frozenset[str]:
        """Whose usage it is about."""
        return frozenset({event.tenant for event in self.events} | {each.event.tenant for each in self.aside})


Candidate = tuple[str, object, Callable[[], Any]]  # place, event or why there is none, the same with exact numbers


def from_body(body: bytes, *, is_batch: bool, measurer: Measurer, now: datetime) -> Delivery:
    """One event, or a list of them, in the JSON format."""
    with collection_paused():  # a batch is ten thousand small objects and no cycle: half the time
        return _from_body(body, is_batch, measurer, now)


def _from_body(body: bytes, is_batch: bool, measurer: Measurer, now: datetime) -> Delivery:
    try:
        read = ExactJSON(body)
    except Malformed as error:
        return Delivery(faults=(error.at(""),), refused=1)
    if not is_batch:
        return gathered([("", read.value, lambda: read.exact)], measurer, now)
    if not isinstance(read.value, list):
        return Delivery(faults=(Fault("", "", f"a batch is a list of events, not {kind_of(read.value)}"),), refused=1)
    if len(read.value) > MAX_EVENTS:
        reason = f"the batch holds {len(read.value):,} events, at most {MAX_EVENTS:,} are taken at once"
        return Delivery(faults=(Fault("", "", reason),), refused=len(read.value))
    return gathered(_items(read), measurer, now)


def from_headers(headers: Mapping[str, str], body: bytes, measurer: Measurer, now: datetime) -> Delivery:
    """One event in binary mode: attributes in `ce-…` headers, the body is its data."""
    try:
        event = event_in_headers(headers)
        data = ExactJSON(body) if body else None
    except Malformed as error:
        return Delivery(faults=(error.at(""),), refused=1)
    if data is None:
        return gathered([("", event, lambda: event)], measurer, now)
    return gathered([("", event | {"data": data.value}, lambda: event | {"data": data.exact})], measurer, now)


def gathered(candidates: Iterable[Candidate], measurer: Measurer, now: datetime) -> Delivery:
    """Measure each; faults do not stop the others from being looked at."""
    with collection_paused():
        return _gathered(candidates, measurer, now)


def _gathered(candidates: Iterable[Candidate], measurer: Measurer, now: datetime) -> Delivery:
    events: list[UsageEvent] = []
    aside: list[AsideEvent] = []
    faults: list[Fault] = []
    refused = 0
    for place, event, exact in candidates:
        try:
            if isinstance(event, Malformed):
                raise event
            measured = measurer.measure(event, exact, now)
        except Malformed as error:
            refused += 1
            if refused <= MOST_TOLD:
                faults.append(error.at(place))
            continue
        if isinstance(measured, UsageEvent):
            events.append(measured)
        else:
            aside.append(measured)
    return Delivery(tuple(events), tuple(aside), tuple(faults), refused)


def _items(read: ExactJSON) -> Iterator[Candidate]:
    for index, event in enumerate(read.value):
        yield f"event {index}", event, lambda index=index: read.exact[index]  # type: ignore[misc]
