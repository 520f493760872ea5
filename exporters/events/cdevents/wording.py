"""What a schema's validator found, in our words: which field, what is wrong, what was expected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from exporters.cloudevents.faults import Malformed, kind_of
from exporters.cloudevents.strict_json import described

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

MOST: Final = 10  # faults of one event that are told
_TYPES: Final = {
    "string": "text", "object": "an object", "array": "a list", "number": "a number", "integer": "a whole number",
    "boolean": "true or false", "null": "null",
}  # fmt: skip
_FORMATS: Final = {
    "date-time": "a time as in RFC 3339: 2026-11-05T12:00:00Z",
    "uri-reference": "a URI reference: /ci/main or https://ci.example.com/main",
    "uri": "a URI with a scheme: https://example.com/…",
}
_LONGEST_LIST: Final = 6


def schema_faults(errors: Iterable[ValidationError], path: str, of: str) -> list[Malformed]:
    """At most `MOST` of them, each once. `path` leads to what was checked, `of` says what that is."""
    found = (fault for error in errors for fault in _faults(error, path, of))
    return list(islice({(fault.field, fault.reason): fault for fault in islice(found, 4 * MOST)}.values(), MOST))


def _faults(error: ValidationError, path: str, of: str) -> Iterator[Malformed]:
    kind: Any = error.kind
    field = _path(path, error.instance_path)
    match kind.name:
        case "required":
            yield Malformed(f"{field}.{kind.property}", "is missing")
        case "additionalProperties":
            for name in sorted(kind.unexpected):
                yield Malformed(f"{field}.{name}", f"is not known to {of}")
        case "anyOf" | "oneOfNotValid" | "oneOf":
            yield from _branches(error, field, path, of)
        case _:
            yield Malformed(field, _reason(kind, error.instance))


def _reason(kind: Any, value: object) -> str:
    match kind.name:
        case "type":
            wanted = " or ".join(_TYPES.get(name, name) for name in _listed(kind.types))
            return f"must be {wanted}, not {kind_of(value)}"
        case "enum":
            return f"must be {_alternatives(kind.options)}; it is {described(value)}"
        case "minLength" | "minItems":
            return "must not be empty"
        case "maxLength" | "maxItems":
            unit = "characters" if kind.name == "maxLength" else "entries"
            return f"must have at most {kind.limit:,} {unit}"
        case "format":
            return f"{described(value)} is not {_FORMATS.get(kind.format, kind.format)}"
        case "pattern":
            return "holds a control character, or a break of a line"
    return f"{described(value)} does not fit ({kind.name})"


def _branches(error: ValidationError, field: str, path: str, of: str) -> Iterator[Malformed]:
    """Where one of several forms is allowed: the faults of the one that was meant, if that can be told."""
    kind: Any = error.kind
    branches: Sequence[Sequence[ValidationError]] = kind.context
    meant = [each for each in branches if not any(_excludes(fault, error) for fault in each)]
    if len(meant) == 1:
        for fault in meant[0]:
            yield from _faults(fault, path, of)
        return
    types = [name for each in branches for fault in each for name in _types_of(fault)]
    if types and not meant:
        wanted = " or ".join(dict.fromkeys(_TYPES.get(name, name) for name in types))
        yield Malformed(field, f"must be {wanted}, not {kind_of(error.instance)}")
    else:
        yield Malformed(field, f"has none of the {len(branches)} forms that are allowed")


def _excludes(fault: ValidationError, error: ValidationError) -> bool:
    """Whether a form is not the one that was meant: of another type, or its mark (an enumeration) is another one."""
    is_own = list(fault.instance_path) == list(error.instance_path)
    return fault.kind.name == "enum" or (is_own and fault.kind.name == "type")


def _types_of(fault: ValidationError) -> list[str]:
    kind: Any = fault.kind
    return _listed(kind.types) if kind.name == "type" else []


def _listed(value: object) -> list[str]:
    return [value] if isinstance(value, str) else [str(each) for each in value] if isinstance(value, Iterable) else []


def _alternatives(options: object) -> str:
    values = list(options) if isinstance(options, (list, tuple)) else [options]
    shown = [described(value) for value in values[:_LONGEST_LIST]]
    return ", ".join(shown[:-1]) + f" or {shown[-1]}" if len(shown) > 1 else shown[0]


def _path(path: str, parts: Iterable[str | int]) -> str:
    found = path
    for part in parts:
        found += f"[{part}]" if isinstance(part, int) else f".{part}"
    return found
