"""Usage in files and pipes: a JSON object, a JSON list, or one JSON object a line (NDJSON)."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import IO, Final

from exporters.cloudevents.exact_json import ExactJSON
from exporters.cloudevents.faults import Malformed
from exporters.cloudevents.files import Chunk, chunks
from exporters.usage.deliveries import Candidate, Delivery, gathered
from exporters.usage.measuring import Measurer

PART: Final = 5_000  # events stored in one transaction


def deliveries(stream: IO[bytes], measurer: Measurer, now: datetime) -> Iterator[Delivery]:
    """The events of a stream in parts, in order. What is no event is told by its line; reading goes on after it."""
    candidates = (candidate for chunk in chunks(stream) for candidate in _candidates(chunk))
    while part := list(islice(candidates, PART)):
        yield gathered(part, measurer, now)


def _candidates(chunk: Chunk) -> Iterator[Candidate]:
    try:
        if chunk.fault is not None:
            raise chunk.fault
        read = ExactJSON(chunk.content)
    except Malformed as error:
        yield chunk.place, error, _nothing
        return
    if chunk.is_document and isinstance(read.value, list):
        for index, event in enumerate(read.value):
            yield f"event {index}", event, lambda index=index: read.exact[index]  # type: ignore[misc]
    else:
        yield chunk.place, read.value, lambda: read.exact


def _nothing() -> None:
    return None
