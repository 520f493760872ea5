"""What meters read from an event: the quantity, exactly, the tenant and the labels."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import orjson

from controlplane.model.usage import Aggregation, AsideEvent, AsideReason, Reading, UsageEvent
from exporters.cloudevents.exact_json import canonical, has_float
from exporters.cloudevents.faults import Malformed, kind_of, quoted
from exporters.usage.cloudevents import Envelope, envelope
from exporters.usage.declared import OTHERS, TENANT
from exporters.usage.terms import Meter, Path, UsageTerms

CLOCK_SKEW: Final = timedelta(minutes=5)  # how far ahead a sender's clock may be
OLDEST: Final = timedelta(days=400)  # before that we no longer know which events were counted
WHOLE_DIGITS: Final = 18
DECIMALS: Final = 12
_WHOLE_LIMIT: Final = 10**WHOLE_DIGITS
MAX_PAYLOAD_BYTES: Final = 64 * 1024
MAX_LABEL: Final = 128  # characters of a dimension's value
MAX_VALUE: Final = 256  # characters of what UNIQUE tells apart
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_TEXT: Final = re.compile("[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_ONE: Final = Decimal(1)
_MOST_REMEMBERED: Final = 10_000

Measured = UsageEvent | AsideEvent


class Measurer:
    """Makes countable events of events as they were sent, by the meters as they are declared now."""

    def __init__(self, terms: UsageTerms) -> None:
        self._by_type: dict[str, tuple[Meter, ...]] = {}
        for meter in terms.meters:
            self._by_type[meter.event_type] = (*self._by_type.get(meter.event_type, ()), meter)
        self._contracted = terms.contracted
        self._labels: dict[tuple[object, ...], str] = {}

    def measure(self, event: object, exact: Callable[[], object], now: datetime) -> Measured:
        """One event. `exact` gives the same event with exact numbers, and is asked only where there are fractions.

        Raises `Malformed`. What no meter reads, and what an unknown tenant sent, is set aside.
        """
        about = envelope(event)
        _check_time(about.time, now)
        if about.data and has_float(about.data):
            about.data = envelope(exact()).data
        payload = canonical([about.type, (about.time - _EPOCH) // _MICROSECOND, about.data])
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise Malformed("data", f"is larger than {MAX_PAYLOAD_BYTES:,} bytes")
        meters = self._by_type.get(about.type, ())
        tenant = _tenant(about, meters[0].tenant if meters else ())
        known = bool(meters) and not (
            tenant not in self._contracted and any(meter.only_contracts for meter in meters)
        )  # fmt: skip
        measured = UsageEvent(
            tenant,
            about.source,
            about.id,
            about.time,
            hashlib.sha256(payload).digest(),
            tuple([self._reading(meter, about.data) for meter in meters]) if known else (),
            payload,
            about.trace_id,
        )
        if known:
            return measured
        reason = AsideReason.UNKNOWN_TENANT if meters else AsideReason.UNKNOWN_TYPE
        return AsideEvent(reason, replace(measured, trace_id=""), now)

    def _reading(self, meter: Meter, data: dict[str, Any]) -> Reading:
        labels = self._dimensions(meter, data) if meter.dimensions else "{}"
        if meter.aggregation is Aggregation.COUNT:
            return Reading(meter.name, meter.aggregation, _ONE, labels)
        value = _at(data, meter.value)
        if meter.aggregation is Aggregation.UNIQUE:
            return Reading(meter.name, meter.aggregation, _ONE, labels, _text(value, meter.value, MAX_VALUE))
        return Reading(meter.name, meter.aggregation, quantity(value, meter.value), labels)

    def _dimensions(self, meter: Meter, data: dict[str, Any]) -> str:
        values = tuple([_at(data, path) for _, path in meter.dimensions])
        if not all(value is None or type(value) is str for value in values):
            return _labels(meter, values)  # not looked up: 1 and true would be one key
        key = (meter.name, values)
        labels = self._labels.get(key)
        if labels is None:
            if len(self._labels) >= _MOST_REMEMBERED:
                self._labels.clear()
            labels = self._labels[key] = _labels(meter, values)
        return labels


def _labels(meter: Meter, values: tuple[object, ...]) -> str:
    named = {}
    for (name, path), value in zip(meter.dimensions, values, strict=True):
        text = "" if value is None else _text(value, path, MAX_LABEL)
        if text:
            named[name] = text
    return orjson.dumps(named, option=orjson.OPT_SORT_KEYS).decode()


def quantity(value: object, path: Path) -> Decimal:
    """A quantity: a JSON number or a decimal text, not negative, at most 18 digits before and 12 after the point."""
    if type(value) is int:
        if 0 <= value < _WHOLE_LIMIT:
            return Decimal(value)
        number = Decimal(value)
    elif isinstance(value, Decimal):
        number = value
    elif type(value) is str:
        if not _NUMBER.fullmatch(value):
            raise _wrong(path, f"{quoted(value)} is not a decimal number")
        number = Decimal(value)
    else:
        raise _wrong(path, "is missing" if value is None else f"must be a number, not {kind_of(value)}")
    if not number.is_finite():
        raise _wrong(path, "must be a finite number of at most 18 digits before and 12 after the point")
    if number < 0:
        raise _wrong(path, f"must not be negative; it is {quoted(str(number))}")
    exponent = number.as_tuple().exponent
    if number.adjusted() >= WHOLE_DIGITS or (isinstance(exponent, int) and exponent < -DECIMALS):
        return _shortened(number, path)
    return number


def _shortened(number: Decimal, path: Path) -> Decimal:
    """The number without zeros at its end, if that makes it short enough."""
    if number == 0:
        return Decimal(0)
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    zeros = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    if number.adjusted() >= WHOLE_DIGITS or exponent + zeros < -DECIMALS:
        raise _wrong(path, f"has more than {WHOLE_DIGITS} digits before or {DECIMALS} after the point")
    return Decimal((0, digits[: len(digits) - zeros], exponent + zeros))


def _check_time(time: datetime, now: datetime) -> None:
    if time > now + CLOCK_SKEW:
        raise Malformed("time", f"{time:%Y-%m-%dT%H:%M:%SZ} lies in the future: it is {now:%Y-%m-%dT%H:%M:%SZ}")
    if time < now - OLDEST:
        raise Malformed("time", f"{time:%Y-%m-%dT%H:%M:%SZ} is more than {OLDEST.days} days ago")


def _tenant(about: Envelope, path: Path) -> str:
    if not path:
        field, tenant = "subject", about.subject
        if not tenant:
            raise Malformed(field, "is missing; must name the tenant")
    else:
        field, found = _field(path), _at(about.data, path)
        if type(found) is not str:
            missing = "is missing; must name the tenant"
            raise Malformed(field, missing if found is None else f"must be text, not {kind_of(found)}")
        tenant = found
    if not TENANT.fullmatch(tenant) or tenant == OTHERS:
        hint = "letters, digits and ._:/@+-, at most 128, a letter or digit first; `other` is taken"
        raise Malformed(field, f"{quoted(tenant)} is not a tenant's name: {hint}")
    return tenant


def _at(data: dict[str, Any], path: Path) -> object:
    value: Any = data
    for key in path:
        if type(value) is not dict:
            return None
        value = value.get(key)
    return value


def _text(value: object, path: Path, most: int) -> str:
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int:
        return str(value)
    if type(value) is not str:
        raise _wrong(path, "is missing" if value is None else f"must be text or a whole number, not {kind_of(value)}")
    if len(value) > most:
        raise _wrong(path, f"is {len(value)} characters long, more than {most}")
    if not _TEXT.fullmatch(value):
        raise _wrong(path, "holds a control character or half a character")
    return value


def _field(path: Path) -> str:
    return ".".join(("data", *path))


def _wrong(path: Path, reason: str) -> Malformed:
    return Malformed(_field(path), reason)
