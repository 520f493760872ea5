"""Whether a CDEvent inside a CloudEvent is valid, and agrees with the CloudEvent around it.

Sources: cdevents/spec, schemas/ and cloudevents-binding.md, which says that type, id, source, subject and time of the
CloudEvent are those of the CDEvent. A CloudEvent may leave subject and time out: then the CDEvent's hold.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from exporters.cloudevents.attributes import Attributes, instant
from exporters.cloudevents.faults import Malformed, kind_of, quoted
from exporters.events.cdevents.own_fields import own_validator
from exporters.events.cdevents.schemas import PREFIX, CDEventSchemas
from exporters.events.cdevents.wording import MOST, schema_faults
from exporters.events.entity_of import subject_of

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator, ValidationError

DATA: Final = "data"
TIME: Final = "data.context.timestamp"


class Checking:
    """Checks events by the published schemas and by ours."""

    def __init__(self, schemas: CDEventSchemas) -> None:
        self._schemas = schemas

    def is_known(self, type_: str) -> bool:
        """Whether it is a type of CDEvents whose schema we have."""
        return self._schemas.is_known(type_)

    def is_good(self, about: Attributes) -> bool:
        """Whether all is well with an event of a known type; the quick way."""
        data = about.data
        context = data.get("context") if type(data) is dict else None
        if type(context) is not dict:
            return False
        release = self._schemas.release_of(about.type, context.get("specversion") or context.get("version"))
        if not release or not self._schemas.validator(about.type, release).is_valid(data):
            return False
        own = own_validator(subject_of(about.type))
        return (own is None or own.is_valid(data)) and _agrees(about, context, data["subject"]["id"])

    def faults(self, about: Attributes, most: int = MOST) -> list[Malformed]:
        """Everything that is wrong with an event of a known type, at most so many faults."""
        data = about.data
        if type(data) is not dict:
            what = "is missing" if data is None else f"must be an object, not {kind_of(data)}"
            return [Malformed(DATA, f"{what}: the CDEvent, with context and subject")]
        context = data.get("context")
        named = (context.get("specversion") or context.get("version")) if isinstance(context, dict) else None
        release = self._schemas.release_of(about.type, named)
        if not release:
            return [self._of_another_release(about.type, str(named), data)]
        short = about.type.removeprefix(PREFIX)
        found: list[Malformed] = []
        for validator in (self._schemas.validator(about.type, release), own_validator(subject_of(about.type))):
            if validator is not None and len(found) < most:
                found += schema_faults(_errors(validator, data, most), DATA, short)
        found += _contradictions(about, data)
        return list({(fault.field, fault.reason): fault for fault in found}.values())[:most]

    def _of_another_release(self, type_: str, release: str, data: dict[str, Any]) -> Malformed:
        field = "data.context.specversion" if "specversion" in data["context"] else "data.context.version"
        its = self._schemas.versions_in(type_, release)
        hint = f"there it is {its}" if its else "it has no such event"
        return Malformed(field, f"CDEvents {release} does not have {type_}: {hint}")


def _errors(validator: "Draft202012Validator", data: dict[str, Any], most: int) -> "Iterable[ValidationError]":
    """All of them; or only the first, which is found without looking for the others."""
    from jsonschema_rs import ValidationError

    if most > 1:
        return validator.iter_errors(data)
    try:
        validator.validate(data)
    except ValidationError as error:
        return [error]
    return []


def _agrees(about: Attributes, context: dict[str, Any], subject: str) -> bool:
    """Whether a valid CDEvent says the same as the CloudEvent around it: no `_contradictions`."""
    if about.type != context["type"] or about.id != context["id"] or about.source != context["source"]:
        return False
    time = instant(context["timestamp"])
    return (not about.subject or about.subject == subject) and time is not None and about.time in (None, time)


def _contradictions(about: Attributes, data: dict[str, Any]) -> Iterator[Malformed]:
    context, subject = data.get("context"), data.get("subject")
    if not isinstance(context, dict) or not isinstance(subject, dict):
        return
    said: tuple[tuple[str, str, str, object], ...] = (
        ("type", about.type, "data.context.type", context.get("type")),
        ("id", about.id, "data.context.id", context.get("id")),
        ("source", about.source, "data.context.source", context.get("source")),
        ("subject", about.subject, "data.subject.id", subject.get("id")),
    )
    for name, outer, field, inner in said:
        if outer and isinstance(inner, str) and inner != outer:
            yield Malformed(name, f"{quoted(outer)} contradicts {field}, which is {quoted(inner)}")
    yield from _time_contradictions(about.time, context.get("timestamp"))


def _time_contradictions(outer: datetime | None, text: object) -> Iterator[Malformed]:
    if not isinstance(text, str):
        return
    inner = instant(text)
    if inner is None:
        yield Malformed(TIME, f"{quoted(text)} is not a time as in RFC 3339: 2026-11-05T12:00:00Z")
    elif outer is not None and outer != inner:
        yield Malformed("time", f"contradicts {TIME}: {outer:%Y-%m-%dT%H:%M:%S.%fZ}, and there {quoted(text)}")
