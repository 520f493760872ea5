"""Model values as JSON and back: frozen dataclasses of numbers, texts, lengths, enums and tuples, nothing else.

Reading can build only the types that the model names, so a file that somebody altered gives a wrong value or an error,
never code that runs. Fields that equality leaves out (places in files) are left out here, and so are defaults: equal
values give equal JSON, and a field that a later version adds changes nothing that does not use it.
"""

import types
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import lru_cache
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

from controlplane.model.event import JSON
from controlplane.model.source import SourcePosition

NOWHERE: Final = SourcePosition("", 1, 1)  # of what was read back: a manifest does not know places in files
_KIND: Final = "is"  # tells the members of a union apart
_MICROSECOND: Final = timedelta(microseconds=1)

_Value = TypeVar("_Value")
# What stands between the model's types and JSON is untyped; each reader below checks what it takes.
_Read = Callable[[Any], Any]


def to_json(value: object) -> JSON:
    """A model value as JSON. Raises TypeError for what the model does not consist of."""
    match value:
        case None | bool() | int() | str():
            return value
        case Decimal():
            return str(value)
        case timedelta():
            return value // _MICROSECOND
        case datetime():
            return value.isoformat()
        case Enum():
            return str(value.value)
        case tuple():
            return [to_json(each) for each in value]
    if not is_dataclass(value):
        raise TypeError(f"not part of the model: {type(value).__name__}")
    kind: Any = type(value)
    written: dict[str, JSON] = {_KIND: kind.__name__} if _is_member(kind) else {}
    for name, default in _written_fields(kind):
        found = getattr(value, name)
        if found != default:
            written[name] = to_json(found)
    return written


def from_json(kind: type[_Value], value: JSON) -> _Value:
    """The value of a dataclass. Raises ValueError when the JSON is not of its shape."""
    try:
        read: _Value = _reader_of(kind)(value)
    except (TypeError, KeyError, AttributeError, InvalidOperation, OverflowError, RecursionError) as error:
        raise ValueError(f"not a {kind.__name__}: {error!r}") from error
    return read


@lru_cache(maxsize=256)
def _written_fields(kind: type) -> tuple[tuple[str, object], ...]:
    return tuple((each.name, _default(each)) for each in fields(kind) if each.compare)


def _default(field: "Field[Any]") -> object:
    if field.default is not MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not MISSING else MISSING


@lru_cache(maxsize=256)
def _is_member(kind: type) -> bool:
    """Whether the name is needed to read it back: everything but the few that never stand in a union."""
    return kind.__name__ not in ("SLO", "Query", "Alerting", "AlertText", "Tier", "DataPolicy", "CompositePart")


def _reader_of(kind: Any) -> _Read:
    """How JSON becomes a value of this type."""
    return _reader(kind)


@lru_cache(maxsize=256)
def _reader(kind: Any) -> _Read:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _union_reader(get_args(kind))
    if origin is tuple:
        return _tuple_reader(get_args(kind))
    if kind in (str, int, bool):
        return lambda value: _of_type(kind, value)
    if kind is Decimal:
        return lambda value: Decimal(_of_type(str, value))
    if kind is timedelta:
        return lambda value: _of_type(int, value) * _MICROSECOND
    if kind is datetime:
        return lambda value: datetime.fromisoformat(_of_type(str, value))
    if kind is type(None):
        return lambda value: _of_type(type(None), value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    if isinstance(kind, type) and is_dataclass(kind):
        return _dataclass_reader(kind)
    raise TypeError(f"not part of the model: {kind}")


def _of_type(kind: type[_Value], value: object) -> _Value:
    if type(value) is not kind:
        raise ValueError(f"{kind.__name__} expected, not {value!r:.80}")
    return value


def _union_reader(members: tuple[Any, ...]) -> _Read:
    named = {
        str(member.__name__): _reader_of(member)
        for member in members
        if isinstance(member, type) and is_dataclass(member)
    }
    plain = [_reader(member) for member in members if not is_dataclass(member) and member is not type(None)]
    optional = type(None) in members

    def read(value: Any) -> Any:
        if value is None and optional:
            return None
        if isinstance(value, dict):
            only = next(iter(named)) if len(named) == 1 else ""
            return named[value.get(_KIND, only)](value)
        return plain[0](value)

    return read


def _tuple_reader(members: tuple[Any, ...]) -> _Read:
    if len(members) == 2 and members[1] is Ellipsis:
        each = _reader(members[0])
        return lambda value: tuple(each(item) for item in _of_type(list, value))
    readers = [_reader(member) for member in members]
    return lambda value: tuple(read(item) for read, item in zip(readers, _of_type(list, value), strict=True))


def _dataclass_reader(kind: type) -> _Read:
    """Types of fields are looked up when the first value is read, since types may name one another."""
    known: dict[str, _Read] = {}
    places: dict[str, object] = {}

    def learn() -> None:
        hints = get_type_hints(kind)
        for field in fields(kind):
            if field.compare:
                known[field.name] = _reader(hints[field.name])
            elif _default(field) is MISSING:
                places[field.name] = NOWHERE

    def read(value: Any) -> Any:
        if not known:
            learn()
        given = {name: known[name](each) for name, each in _of_type(dict, value).items() if name != _KIND}
        return kind(**given, **places)

    return read
