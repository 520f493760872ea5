"""Documents of kinds that other features own: only what they say is known here, not their models."""

from collections.abc import Mapping
from decimal import Decimal

from pydantic import BaseModel

from controlplane.specfile import Document


def value_at(document: Document, *path: str) -> str | Decimal | None:
    """A text or number of a document, by the names of its model's fields; None where there is none."""
    found = _at(document, path)
    return found if isinstance(found, str | Decimal) else None


def scope_at(document: Document, *path: str) -> dict[str, tuple[str, ...]]:
    """A mapping from labels to values."""
    found = _at(document, path)
    if not isinstance(found, Mapping):
        return {}
    return {str(label): tuple(map(str, values)) for label, values in found.items() if isinstance(values, list)}


def texts_at(document: Document, *path: str) -> tuple[str, ...]:
    """A list of texts, or one text."""
    found = _at(document, path)
    if isinstance(found, list | tuple):
        return tuple(map(str, found))
    return (found,) if isinstance(found, str) else ()


def _at(document: Document, path: tuple[str, ...]) -> object:
    found: object = document.value
    for step in path:
        if isinstance(found, BaseModel):
            found = getattr(found, step, None)
        elif isinstance(found, Mapping):
            found = found.get(step)
        else:
            return None
    return found
