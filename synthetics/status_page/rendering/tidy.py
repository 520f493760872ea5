"""Texts of people, made fit for HTML, XML, JSON and iCalendar before anything else sees them."""

import re
from dataclasses import fields, is_dataclass, replace
from typing import Final, TypeVar

from controlplane.model.public_status import PublicSnapshot

_ILLEGAL: Final = re.compile(  # what XML 1.0 (2.2) knows no character for, C1 controls, and signs that turn text around
    "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]"
)
T = TypeVar("T")


def tidied(snapshot: PublicSnapshot) -> PublicSnapshot:
    """The same snapshot; no text in it has characters that a format cannot carry or that reorder what stands around."""
    return _tidied(snapshot)


def clean(text: str) -> str:
    """One text; lines end with a line feed."""
    return _ILLEGAL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _tidied(value: T) -> T:
    if isinstance(value, str):
        return clean(value)  # type: ignore[return-value]
    if isinstance(value, tuple):
        return tuple(_tidied(each) for each in value)  # type: ignore[return-value]
    if is_dataclass(value) and not isinstance(value, type):
        texts = {field.name: getattr(value, field.name) for field in fields(value)}
        changed = {name: new for name, old in texts.items() if (new := _tidied(old)) is not old and new != old}
        return replace(value, **changed) if changed else value
    return value
