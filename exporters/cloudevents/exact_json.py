"""JSON whose numbers stay exact.

orjson is several times as fast as Python's own reader, and makes floats of whatever is no whole number of 64 bits.
A body is read by it first; only where a value turns out to be a float, the body is read once more with decimals.
"""

import json
from decimal import Context, Decimal, InvalidOperation
from functools import cached_property
from typing import Any, Final

import orjson

from exporters.cloudevents.faults import Malformed

MAX_DEPTH: Final = 16  # of an event's data
_SAFE_DIGITS: Final = 18  # a whole number of so many digits fits 64 bits
_MOST_DIGITS: Final = 100
_WIDE: Final = Context(prec=_MOST_DIGITS)
_NONE: Final = Decimal("NaN")
_NUMBER: Final = "\x00number"  # a key that no sender uses


class ExactJSON:
    """A body in both readings. Raises `Malformed` when it is no JSON."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        try:
            self.value: Any = orjson.loads(body)
        except orjson.JSONDecodeError:
            self.value = self.exact  # NaN and Infinity are for whoever sent them to be told about, event by event

    @cached_property
    def exact(self) -> Any:
        """The value with `Decimal` for every number with a fraction, an exponent or more digits than 64 bits take."""
        try:
            text = self._body.decode()
            return json.loads(text, parse_float=_decimal, parse_int=_whole, parse_constant=Decimal)
        except UnicodeDecodeError:
            raise Malformed("", "is not UTF-8 text") from None
        except json.JSONDecodeError as error:
            where = f"line {error.lineno} column {error.colno}"
            raise Malformed("", f"is not JSON: {error.msg} at {where}") from None
        except RecursionError:
            raise Malformed("", "is not JSON that is read here: nested too deeply") from None


def _decimal(text: str) -> Decimal | int:
    """1.0 and 1 are one number. What is out of all bounds is told as no number, where somebody asks for it."""
    try:
        number = Decimal(text) if len(text) <= _MOST_DIGITS else _NONE
    except InvalidOperation:  # an exponent of twenty digits
        return _NONE
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        return _NONE
    # The exponent is looked at first: 1e90 has as many digits as it says.
    return int(number) if number.adjusted() < _SAFE_DIGITS and number == number.to_integral_value() else number


def _whole(text: str) -> Decimal | int:
    if len(text) <= _SAFE_DIGITS:
        return int(text)
    return Decimal(text) if len(text) <= _MOST_DIGITS else _NONE


def has_float(value: object, depth: int = MAX_DEPTH) -> bool:
    """Whether a value holds a float anywhere. Raises `Malformed` when it is nested deeper than `depth`."""
    if depth == 0:
        raise Malformed("data", f"is nested more than {MAX_DEPTH} levels deep")
    found = False
    for each in value.values() if type(value) is dict else value if type(value) is list else ():
        kind = type(each)
        if kind is float:
            found = True  # and look at the rest, for its depth
        elif kind is dict or kind is list:
            found |= has_float(each, depth - 1)
    return found


def canonical(value: object) -> bytes:
    """One spelling per value: sorted keys, no spaces, numbers as exact as they were written."""
    return orjson.dumps(value, _spelt, orjson.OPT_SORT_KEYS)


def read_canonical(text: bytes) -> Any:
    """The value that `canonical` wrote, its numbers exact."""
    return _restored(orjson.loads(text))


def _restored(value: Any) -> Any:
    if type(value) is list:
        return [_restored(each) for each in value]
    if type(value) is not dict:
        return value
    number = value.get(_NUMBER)
    return Decimal(number) if number is not None else {key: _restored(each) for key, each in value.items()}


def _spelt(value: object) -> object:
    if isinstance(value, Decimal):
        return {_NUMBER: format(value.normalize(_WIDE), "E") if value.is_finite() else str(value)}
    raise TypeError(type(value).__name__)
