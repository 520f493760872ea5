"""JSON that can mean one thing only: no key twice, no number beyond 64 bits, no NaN, no half characters.

RFC 8259 leaves open what a repeated key means, and whether large numbers survive; so what is stored would not be what
was checked. Here such bodies are read, so that a sender is told which field is wrong, but never taken.
"""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson

from exporters.cloudevents.faults import Malformed, kind_of, quoted

MAX_DEPTH: Final = 254  # orjson writes nothing deeper
_LARGEST: Final = 2**64 - 1
_LEAST: Final = -(2**63)


class _Twice(dict[str, Any]):
    """An object that names a key more than once."""

    key = ""


@dataclass(frozen=True, slots=True)
class ReadJSON:
    """A value. Where it `is_suspicious`, `json_faults` tell what is wrong within it."""

    value: Any
    is_suspicious: bool


def read_json(body: bytes) -> ReadJSON:
    """Read a body. Raises `Malformed` when it is no JSON at all."""
    reading = _Reading()
    try:
        value = json.loads(
            body.decode(),
            object_pairs_hook=reading.object,
            parse_float=reading.number,
            parse_constant=reading.number,
        )
    except UnicodeDecodeError:
        raise Malformed("", "is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        what = "the body is empty" if not body.strip() else f"is not JSON: {error.msg}"
        raise Malformed("", f"{what} at line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise Malformed("", "is not JSON that is read here: nested too deeply") from None
    except ValueError:
        raise Malformed("", "is not JSON that is read here: a number has thousands of digits") from None
    return ReadJSON(value, reading.is_suspicious)


class _Reading:
    """What the parser tells while it reads."""

    def __init__(self) -> None:
        self.is_suspicious = False

    def object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        self.is_suspicious = True
        twice = _Twice(found)
        twice.key = _first_repeated(name for name, _ in pairs)
        return twice

    def number(self, text: str) -> float:
        found = float(text)
        if not math.isfinite(found):
            self.is_suspicious = True
        return found


def _first_repeated(names: Iterable[str]) -> str:
    """The first name that was there before; in one pass, for an object may have a million of them."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return ""


def written_json(value: object) -> bytes:
    """The shortest spelling, keys sorted: one per value. Raises `Malformed` for what JSON cannot say."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        raise next(json_faults(value, ""), Malformed("", "cannot be written as JSON")) from None


def json_faults(value: object, path: str, depth: int = MAX_DEPTH) -> Iterator[Malformed]:
    """What is wrong within a value, by path: `data.subject.id`."""
    if isinstance(value, (dict, list)) and depth == 0:
        yield Malformed(path, f"is nested more than {MAX_DEPTH} levels deep")
    elif isinstance(value, dict):
        if isinstance(value, _Twice):
            yield Malformed(_joined(path, value.key), "stands there twice")
        for name, each in value.items():
            yield from _name_faults(path, name)
            yield from json_faults(each, _joined(path, name), depth - 1)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from json_faults(each, f"{path}[{index}]", depth - 1)
    elif isinstance(value, str):
        if not _is_encodable(value):
            yield Malformed(path, "holds half a character (a lone surrogate)")
    elif isinstance(value, (int, float)) and not _is_number(value):
        yield Malformed(path, f"must be a number that fits 64 bits, not {_shown(value)}")


def _name_faults(path: str, name: str) -> Iterator[Malformed]:
    if not _is_encodable(name):
        yield Malformed(
            path, f"has a key that holds half a character: {quoted(name.encode(errors='replace').decode())}"
        )


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_number(value: float) -> bool:
    return math.isfinite(value) if isinstance(value, float) else _LEAST <= value <= _LARGEST


def _shown(value: float) -> str:
    return "one that is larger" if isinstance(value, int) or math.isinf(value) else "NaN"


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def described(value: object) -> str:
    """What a value is: short text and numbers as they are, the rest by kind."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, (bool, type(None), dict, list)):
        return kind_of(value)
    return str(value)[:40]
