"""What the simulated platform's tenants used, as CloudEvents: the same for the same history, in order of time.

One event stands for six hours of one tenant: a platform with meters sends them by the call or the minute, and a demo
need not. Sending them again changes nothing: their ids are the same.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np

from flyball.demo.platform.costly import TOKENS
from flyball.demo.platform.simulation import Simulation
from flyball.demo.platform.spending import model_of
from flyball.demo.platform.traffic import Integers, Stream

_HOURS: Final = 6
_MINUTES: Final = _HOURS * 60
_ANALYSTS: Final = 24  # of the largest tenant
_INFERENCE: Final = "assistant"  # what people ask; what enrichment asks is the platform's own
Event = dict[str, object]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Six hours: when they end, their last second, and how many events each stream had in them."""

    end: datetime
    last: datetime
    counts: tuple[int, ...]


def usage_events(simulation: Simulation, first: date, now: datetime) -> Iterator[Event]:
    """Events of whole stretches of six hours from the beginning of a day (UTC) to before `now`."""
    begin = datetime(first.year, first.month, first.day, tzinfo=UTC)
    streams = simulation.traffic.streams
    while begin + timedelta(hours=_HOURS) <= now:
        stretch = _stretch(simulation, begin)
        for stream, count in zip(streams, stretch.counts, strict=True):
            yield from _of_stream(stream, count, stretch.last)
        yield from _tokens(streams, stretch)
        yield from _sessions(simulation, begin)
        begin = stretch.end


def as_batches(events: Iterator[Event], size: int = 1_000) -> Iterator[bytes]:
    """Bodies of the type application/cloudevents-batch+json."""
    batch: list[Event] = []
    for event in events:
        batch.append(event)
        if len(batch) == size:
            yield json.dumps(batch).encode()
            batch = []
    if batch:
        yield json.dumps(batch).encode()


def _stretch(simulation: Simulation, begin: datetime) -> _Stretch:
    first = int(begin.timestamp()) // 60
    shape = (_MINUTES, 2, len(simulation.traffic.streams))
    good, bad = simulation.traffic.per_minute(first, np.zeros(shape))
    counts: Integers = np.rint((good + bad).sum(axis=0)).astype(np.int64)
    end = begin + timedelta(hours=_HOURS)
    return _Stretch(end, end - timedelta(seconds=1), tuple(int(count) for count in counts))


def _of_stream(stream: Stream, count: int, at: datetime) -> Iterator[Event]:
    if stream.tenant is None:
        return
    tenant = stream.tenant.name
    if stream.flow.name == "ingest.events":
        for cell in stream.flow.cells:
            connector = dict(cell.labels)["connector"]
            data = {"connector": connector, "events": round(count * cell.weight)}
            yield _event("dev.intelgraph.ingest.batch", tenant, at, data, connector)
    elif stream.flow.name == "gateway.requests":
        for route, share in stream.flow.routes:
            data = {"route": route, "calls": round(count * share)}
            yield _event("dev.intelgraph.graphql.minute", tenant, at, data, route)


def _tokens(streams: Sequence[Stream], stretch: _Stretch) -> Iterator[Event]:
    used: dict[tuple[str, str], dict[str, int]] = {}
    for stream, count in zip(streams, stretch.counts, strict=True):
        if stream.flow.metric == TOKENS and stream.flow.service == _INFERENCE and stream.tenant:
            model, kind = model_of(stream.flow)
            used.setdefault((stream.tenant.name, model), {})[kind] = count
    for (tenant, model), tokens in used.items():
        data: Event = {"model": model, "tokens": {**tokens, "total": sum(tokens.values())}}
        yield _event("dev.intelgraph.inference.completed", tenant, stretch.last, data, model)


def _sessions(simulation: Simulation, begin: datetime) -> Iterator[Event]:
    """Who signed in: on each day two of three people of a tenant, not always the same."""
    day = begin.replace(hour=0)
    tenants = {stream.tenant for stream in simulation.traffic.streams if stream.tenant}
    largest = max(tenant.share for tenant in tenants)
    for tenant in sorted(tenants, key=lambda one: one.name):
        for number in range(round(_ANALYSTS * tenant.share / largest)):
            user = f"{tenant.name}-{number:02}"
            digest = hashlib.sha256(f"{user} {day.date()}".encode()).digest()
            at = day + timedelta(minutes=digest[1] * 1440 // 256)
            if digest[0] % 3 and begin <= at < begin + timedelta(hours=_HOURS):
                yield _event("dev.intelgraph.session.started", tenant.name, at, {"user": user}, user)


def _event(kind: str, tenant: str, at: datetime, data: Event, what: str) -> Event:
    name = f"{kind} {tenant} {at:%Y-%m-%dT%H:%M:%S} {what}"
    return {
        "specversion": "1.0",
        "id": hashlib.sha256(name.encode()).hexdigest()[:32],
        "source": "/intelgraph/metering",
        "type": kind,
        "subject": tenant,
        "time": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "datacontenttype": "application/json",
        "data": data,
    }
