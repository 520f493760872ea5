"""CloudEvents 1.0: what an event says about itself, checked.

Source: github.com/cloudevents/spec, cloudevents/spec.md ("Context Attributes") and formats/json-format.md.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from exporters.cloudevents.faults import Malformed, kind_of, quoted

MAX_ID: Final = 256
MAX_SOURCE: Final = 512
MAX_TYPE: Final = 256
_LINE: Final = re.compile("[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_JSON: Final = re.compile(r"[a-z0-9.+-]+/(?:[a-z0-9.+-]+\+)?json\s*(?:;.*)?", re.IGNORECASE)
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
_NO_TRACE: Final = "0" * 32


@dataclass(slots=True)
class Attributes:
    """What an event says about itself. `time` is aware UTC, None when it says none; `data` is None without any."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime | None
    data: Any
    trace_id: str


def attributes(event: object) -> Attributes:
    """Check one event in the JSON format. Raises `Malformed` for the first thing that is wrong."""
    if type(event) is not dict:
        raise Malformed("", f"must be an object, not {kind_of(event)}")
    _check_version(event)
    return Attributes(
        line(event, "id", MAX_ID),
        line(event, "source", MAX_SOURCE),
        line(event, "type", MAX_TYPE),
        _subject(event),
        _time(event),
        _data(event),
        _trace_id(event.get("traceparent")),
    )


def attribute_faults(event: object) -> list[Malformed]:
    """Everything that is wrong with its attributes."""
    if type(event) is not dict:
        return [Malformed("", f"must be an object, not {kind_of(event)}")]
    checks: tuple[Callable[[dict[str, Any]], object], ...] = (
        _check_version,
        lambda event: line(event, "id", MAX_ID),
        lambda event: line(event, "source", MAX_SOURCE),
        lambda event: line(event, "type", MAX_TYPE),
        _subject,
        _time,
        _data,
    )
    return [fault for check in checks for fault in _raised(check, event)]


def _raised(check: Callable[[dict[str, Any]], object], event: dict[str, Any]) -> list[Malformed]:
    try:
        check(event)
    except Malformed as error:
        return [error]
    return []


def _check_version(event: dict[str, Any]) -> None:
    if event.get("specversion") != "1.0":
        raise Malformed("specversion", expected('"1.0"', event, "specversion"))
    if "data_base64" in event:
        raise Malformed("data_base64", "only JSON is read: send it as data")


def _subject(event: dict[str, Any]) -> str:
    return "" if event.get("subject") is None else line(event, "subject", MAX_ID)


def line(event: dict[str, Any], name: str, most: int) -> str:
    """A text attribute of one line."""
    value = event.get(name)
    if type(value) is not str:
        raise Malformed(name, expected("text", event, name))
    if not value:
        raise Malformed(name, "must not be empty")
    if len(value) > most:
        raise Malformed(name, f"is {len(value)} characters long, more than {most}")
    if not _is_line(value):
        raise Malformed(name, "holds a control character or half a character")
    return value


@lru_cache(maxsize=4096)
def _is_line(text: str) -> bool:
    """Remembered: sources, types and subjects come again and again."""
    return _LINE.fullmatch(text) is not None


@lru_cache(maxsize=1024)
def instant(text: str) -> datetime | None:
    """A time as RFC 3339 writes it, in UTC, cut to microseconds; None when it is none.

    Remembered: an event says its time twice.
    """
    if not _TIME.fullmatch(text):
        return None
    try:
        at = datetime.fromisoformat(text.upper())
        return at if at.tzinfo is UTC else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def is_json(content_type: str) -> bool:
    """Whether a media type is JSON, or something written in it."""
    return bool(_JSON.fullmatch(content_type.strip()))


def _time(event: dict[str, Any]) -> datetime | None:
    text = event.get("time")
    if text is None:
        return None
    if type(text) is not str:
        raise Malformed("time", expected("a time as in RFC 3339", event, "time"))
    at = instant(text)
    if at is None:
        raise Malformed("time", f"{quoted(text)} is not a time as in RFC 3339: 2026-11-05T12:00:00Z")
    return at


def _data(event: dict[str, Any]) -> Any:
    content_type = event.get("datacontenttype")
    if content_type is not None and not (type(content_type) is str and is_json(content_type)):
        raise Malformed("datacontenttype", "only JSON is read: application/json")
    return event.get("data")


def _trace_id(traceparent: object) -> str:
    """The trace id of the distributed tracing extension; empty when there is none that one could look up."""
    if type(traceparent) is not str:
        return ""
    found = _TRACEPARENT.fullmatch(traceparent)
    return "" if found is None or found[1] == _NO_TRACE else found[1]


def expected(what: str, event: dict[str, Any], name: str) -> str:
    """What is wrong with an attribute that is not what it must be."""
    if event.get(name) is None:
        return f"is missing; must be {what}"
    return f"must be {what}, not {kind_of(event[name])}" if type(event[name]) is not str else f"must be {what}"
