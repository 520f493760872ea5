"""What one stored event says, read defensively: whatever is of a wrong type, too long or unreadable is as if absent.

An event is validated before it is stored, but its `customData` is free-form, and what was stored may be older than the
rules of today. Nothing here raises.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeVar

from controlplane.delivery_names import CUSTOM
from controlplane.model.delivery import DeliveryEvent
from controlplane.model.event import JSON

LONGEST_NAME: Final = 256  # of services, environments, versions, labels: as the intake takes them
LONGEST_ID: Final = 1024  # of things that events refer to
LONGEST_TITLE: Final = 300
LONGEST_URL: Final = 1024
MOST_VALUES: Final = 2000  # of a list
EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)  # a clock that was never set says 1970; git is of 2005
END: Final = datetime(2200, 1, 1, tzinfo=UTC)  # so that whoever reckons never leaves the calendar
_PREFIX: Final = "dev.cdevents."
_NOTHING: Final[Mapping[str, JSON]] = {}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Statement:
    """An event as what it says. `content` is the subject's, `own` what stands in `customData.flyball`."""

    time: datetime
    source: str
    id: str
    predicate: str  # `deployed`, `merged`, …
    subject: str
    content: Mapping[str, JSON]
    own: Mapping[str, JSON]
    trace_id: str = ""

    def name(self, field: str, most: int = LONGEST_NAME) -> str:
        """One of our own texts by which something is found; empty when it is absent, too long or unprintable."""
        return as_name(self.own.get(field), most)

    def names(self, field: str, most: int = LONGEST_NAME) -> tuple[str, ...]:
        """One of our own lists of such texts, each once, in order; what is no such text is left out."""
        values = self.own.get(field)
        if not isinstance(values, list):
            return ()
        found = (as_name(value, most) for value in values[:MOST_VALUES])
        return tuple(dict.fromkeys(text for text in found if text))

    def title(self, field: str) -> str:
        """One of our own texts for people, cut where it is too long."""
        return as_title(self.own.get(field))

    def when(self, field: str) -> datetime | None:
        """One of our own times, in UTC; None without a time zone, before 1990 and from 2200 on."""
        return as_time(self.own.get(field))

    def referred(self, field: str, part: str = "id", most: int = LONGEST_ID) -> str:
        """The id of what the content refers to: `{"service": {"id": …}}`."""
        reference = self.content.get(field)
        return as_name(reference.get(part), most) if isinstance(reference, dict) else ""


def statements(events: Iterable[DeliveryEvent]) -> list[Statement]:
    """What they say, in the order of (time, source, id), whatever order they come in; each (source, id) once.

    Of two events with the same (source, id) that differ, which a store never has, the earlier counts.
    """
    known: dict[tuple[str, str], DeliveryEvent] = {}
    for event in events:
        other = known.get((event.source, event.id))
        if other is None or _place(event) < _place(other):
            known[event.source, event.id] = event
    read = (_statement(event) for event in sorted(known.values(), key=lambda each: (each.time, each.source, each.id)))
    return [statement for statement in read if statement is not None]


def last(said: Sequence[Statement], value_of: Callable[[Statement], T]) -> T | None:
    """What was said last of all that is not empty: by (time, source, id)."""
    for statement in reversed(said):
        if value := value_of(statement):
            return value
    return None


def last_name(said: Sequence[Statement], field: str, most: int = LONGEST_NAME) -> str:
    """`Statement.name` of the last that has it; empty without any."""
    for statement in reversed(said):
        if field in statement.own and (text := statement.name(field, most)):
            return text
    return ""


def last_url(said: Sequence[Statement]) -> str:
    """The last web address in the field `url`; empty without any."""
    for statement in reversed(said):
        if "url" in statement.own and (text := as_url(statement.own["url"])):
            return text
    return ""


def last_flag(said: Sequence[Statement], field: str) -> bool | None:
    """The truth value that was said last."""
    for statement in reversed(said):
        if isinstance(flag := statement.own.get(field), bool):
            return flag
    return None


def earliest(times: Iterable[datetime | None]) -> datetime | None:
    """The first of those that are known."""
    return min((time for time in times if time is not None), default=None)


def as_name(value: JSON, most: int = LONGEST_NAME) -> str:
    """A text by which something is found; never cut, so that two things never become one."""
    if not isinstance(value, str):
        return ""
    text = value.strip()
    if len(text) > most or not text.isprintable():
        return ""
    return text if text.isascii() or len(text.encode()) <= most else ""  # databases bound what an index holds in bytes


def as_title(value: JSON) -> str:
    """A text for people, on one line; an ellipsis ends one that was cut."""
    if not isinstance(value, str):
        return ""
    text = value[: LONGEST_TITLE * 4].strip()
    if not text.isprintable():
        text = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return text if len(text) <= LONGEST_TITLE else f"{text[: LONGEST_TITLE - 1]}…"


def as_url(value: JSON) -> str:
    """A web address; of other schemes (`javascript:`) none."""
    text = as_name(value, LONGEST_URL)
    return text if text.lower().startswith(("https://", "http://")) and " " not in text else ""


def as_time(value: JSON) -> datetime | None:
    """RFC 3339, in UTC."""
    if not isinstance(value, str) or len(value) > LONGEST_NAME:
        return None
    try:
        time = datetime.fromisoformat(value)
        return _known(time.astimezone(UTC)) if time.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _place(event: DeliveryEvent) -> tuple[datetime, bytes, str]:
    return event.time, event.digest, event.trace_id


def _known(time: datetime) -> datetime | None:
    return time if EARLIEST <= time < END else None


def _statement(event: DeliveryEvent) -> Statement | None:
    """None for what is no CDEvent, or of no time that can be."""
    if not event.type.startswith(_PREFIX) or not EARLIEST <= event.time < END:
        return None
    data = _object(_read(event.body), "data")
    subject = _object(data, "subject")
    return Statement(
        time=event.time.astimezone(UTC),
        source=event.source,
        id=event.id,
        predicate=event.type[len(_PREFIX) :].partition(".")[2].partition(".")[0],
        subject=as_name(subject.get("id"), LONGEST_ID),
        content=_object(subject, "content"),
        own=_object(_object(data, "customData"), CUSTOM),
        trace_id=as_name(event.trace_id),
    )


def _read(body: bytes) -> Mapping[str, JSON]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return _NOTHING
    return value if isinstance(value, dict) else _NOTHING


def _object(value: Mapping[str, JSON], field: str) -> Mapping[str, JSON]:
    inner = value.get(field)
    return inner if isinstance(inner, dict) else _NOTHING
