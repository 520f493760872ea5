"""Records as rows: what all of them have in common."""

from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from controlplane.model import exact

Row = dict[str, Any]


def plain(record: Any) -> Row:
    """A record's fields by name, as they are."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def stamp(at: datetime) -> str:
    """A time inside of JSON. Raises `ValueError` for a naive one."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone cannot be stored")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def number(value: Decimal) -> str:
    """An exact number inside of JSON. Raises `ValueError` for NaN and infinities."""
    if not value.is_finite():
        raise ValueError(f"{value} is no number: leave out what is not known")
    return exact.plain(value)
