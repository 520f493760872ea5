"""Documents as YAML text: the same bytes for the same document, read back as the same values."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Final

from controlplane.rulefile import scalar, text

Value = str | bool | Decimal | int | Enum | Sequence["Value"] | Mapping[str, "Value"] | None
_STEP: Final = 2


def to_yaml(documents: Sequence[Mapping[str, Value]]) -> str:
    """The documents, one after the other, `---` between them; ends with a newline. Mappings keep their order."""
    return "---\n".join("".join(f"{line}\n" for line in _mapping(document, 0)) for document in documents)


def _mapping(value: Mapping[str, Value], indent: int) -> Iterator[str]:
    margin = " " * indent
    for key, inner in value.items():
        yield from _entry(f"{margin}{scalar(key)}:", inner, indent)


def _entry(before: str, value: Value, indent: int) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        yield before
        yield from _mapping(value, indent + _STEP)
    elif isinstance(value, Sequence) and not isinstance(value, str) and value:
        yield before
        yield from _sequence(value, indent)
    else:
        yield f"{before} {_leaf(value, indent + _STEP)}"


def _sequence(values: Sequence[Value], indent: int) -> Iterator[str]:
    margin = " " * indent
    for value in values:
        if isinstance(value, Mapping) and value:
            lines = _mapping(value, indent + _STEP)
            yield f"{margin}- {next(lines).lstrip(' ')}"
            yield from lines
        else:
            yield from _entry(f"{margin}-", value, indent + _STEP)


def _leaf(value: Value, indent: int) -> str:
    if value is None:
        return "null"
    if isinstance(value, Enum):
        return text(str(value.value), indent)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return text(value, indent)
    return "{}" if isinstance(value, Mapping) else "[]"
