"""Delivery events in files and pipes: CloudEvents with CDEvents in them, or CDEvents alone.

A JSON object, a JSON list, or one JSON object a line (NDJSON).
"""

from collections.abc import Iterator
from typing import IO, Any

from exporters.cloudevents.faults import Malformed
from exporters.cloudevents.files import Chunk, chunks
from exporters.cloudevents.strict_json import read_json
from exporters.events.reading import Candidate


def candidates(stream: IO[bytes]) -> Iterator[Candidate]:
    """Every event of a stream, in order, and what is none of them by its line."""
    for chunk in chunks(stream):
        yield from _candidates(chunk)


def _candidates(chunk: Chunk) -> Iterator[Candidate]:
    try:
        if chunk.fault is not None:
            raise chunk.fault
        read = read_json(chunk.content)
    except Malformed as error:
        yield Candidate(chunk.place, error)
        return
    if chunk.is_document and isinstance(read.value, list):
        for index, event in enumerate(read.value):
            yield Candidate(f"event {index}", wrapped(event), read.is_suspicious)
    else:
        yield Candidate(chunk.place, wrapped(read.value), read.is_suspicious)


def wrapped(event: Any) -> Any:
    """A CDEvent alone becomes a CloudEvent, as cloudevents-binding.md says; all else stays as it is."""
    if type(event) is not dict or "specversion" in event or not isinstance(event.get("context"), dict):
        return event
    context, subject = event["context"], event.get("subject")
    told = {
        "specversion": "1.0",
        "id": context.get("id"),
        "source": context.get("source"),
        "type": context.get("type"),
        "subject": subject.get("id") if isinstance(subject, dict) else None,
        "time": context.get("timestamp"),
    }
    return {name: value for name, value in told.items() if value is not None} | {"data": event}
