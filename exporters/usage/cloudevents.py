"""CloudEvents as usage needs them: with a time, and with an object as data."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from exporters.cloudevents.attributes import attributes, expected
from exporters.cloudevents.faults import Malformed, kind_of


@dataclass(slots=True)
class Envelope:
    """The attributes that usage needs. `time` is aware UTC; `data` is an object, empty when there was none."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: dict[str, Any]
    trace_id: str


def envelope(event: object) -> Envelope:
    """Check one event in the JSON format. Raises `Malformed`.

    `time` is optional in CloudEvents and required here: without it nobody knows which month an event belongs to.
    """
    found = attributes(event)
    if found.time is None:
        assert isinstance(event, dict)
        raise Malformed("time", expected("a time as in RFC 3339", event, "time"))
    data = {} if found.data is None else found.data
    if type(data) is not dict:
        raise Malformed("data", f"must be an object, not {kind_of(data)}")
    return Envelope(found.id, found.source, found.type, found.subject, found.time, data, found.trace_id)
