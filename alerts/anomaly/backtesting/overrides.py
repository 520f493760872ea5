"""What-if: a detector with a few fields changed, `sensitivity=low`, without a change of its file."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Final

from alerts.anomaly.model import AnomalyDetector, Direction, Grouping, Output, Sensitivity
from controlplane.calendar.zones import zone

_MOST_STEPS: Final = 60


def overridden(detector: AnomalyDetector, text: str) -> AnomalyDetector:
    """With `field=value` of the spec. Raises ValueError, which says what can be set and how."""
    field, equals, value = (part.strip() for part in text.partition("="))
    setter = _SETTERS.get(field)
    if not equals or setter is None:
        raise ValueError(f"`{text[:60]}` is not FIELD=VALUE with a field of {', '.join(_SETTERS)}")
    try:
        return setter(detector, value)
    except (ValueError, KeyError, InvalidOperation) as error:
        said = str(error) if isinstance(error, ValueError) and " " in str(error) else "is not a value of it"
        raise ValueError(f"{field}: `{value[:40]}` {said}") from None


def _sensitivity(detector: AnomalyDetector, value: str) -> AnomalyDetector:
    return replace(detector, sensitivity=Sensitivity(_one_of(Sensitivity, value)))


def _direction(detector: AnomalyDetector, value: str) -> AnomalyDetector:
    return replace(detector, direction=Direction(_one_of(Direction, value)))


def _one_of(values: Iterable[Enum], value: str) -> str:
    known = [str(each.value) for each in values]
    if value not in known:
        raise ValueError(f"is none of {', '.join(known)}")
    return value


def _output(detector: AnomalyDetector, value: str) -> AnomalyDetector:
    names = {"point": (Output.POINT,), "sustained": (Output.SUSTAINED,), "both": tuple(Output)}
    if value not in names:
        raise ValueError(f"is none of {', '.join(names)}")
    return replace(detector, outputs=names[value])


def _absolute(detector: AnomalyDetector, value: str) -> AnomalyDetector:
    return replace(detector, least_absolute=_amount(value))


def _relative(detector: AnomalyDetector, value: str) -> AnomalyDetector:
    is_percent = value.endswith("%")
    return replace(detector, least_relative=_amount(value.removesuffix("%")) / (100 if is_percent else 1))


def _amount(value: str) -> Decimal:
    found = Decimal(value)
    if not found.is_finite() or found < 0:
        raise ValueError("is no number from 0 on")
    return found


def _opening(field: str) -> Callable[[AnomalyDetector, str], AnomalyDetector]:
    def set_it(detector: AnomalyDetector, value: str) -> AnomalyDetector:
        number = int(value) if value.isdecimal() else 0
        if not 1 <= number <= _MOST_STEPS:
            raise ValueError(f"is no number from 1 to {_MOST_STEPS}")
        opening = replace(detector.opening, **{field: number})
        if field == "steps" and opening.steps > opening.of:
            opening = replace(opening, of=opening.steps)
        if opening.steps > opening.of:
            raise ValueError(f"is less than open.steps, {opening.steps}")
        return replace(detector, opening=opening)

    return set_it


def _rate(detector: AnomalyDetector, value: str) -> AnomalyDetector:
    rate = _amount(value)
    if not 0 < rate <= 1:
        raise ValueError("is no number above 0, up to 1")
    grouping = detector.grouping or Grouping()
    return replace(detector, grouping=replace(grouping, false_discovery_rate=None if rate == 1 else rate))


def _zone(detector: AnomalyDetector, value: str) -> AnomalyDetector:
    zone(value)
    return replace(detector, season=replace(detector.season, time_zone=value))


def _daily(detector: AnomalyDetector, value: str) -> AnomalyDetector:
    return replace(detector, season=replace(detector.season, daily=_is_true(value)))


def _weekly(detector: AnomalyDetector, value: str) -> AnomalyDetector:
    return replace(detector, season=replace(detector.season, weekly=_is_true(value)))


def _is_true(value: str) -> bool:
    if value not in ("true", "false"):
        raise ValueError("is neither true nor false")
    return value == "true"


_SETTERS: Final[Mapping[str, Callable[[AnomalyDetector, str], AnomalyDetector]]] = {
    "sensitivity": _sensitivity,
    "direction": _direction,
    "output": _output,
    "leastDeviation.absolute": _absolute,
    "leastDeviation.relative": _relative,
    "open.steps": _opening("steps"),
    "open.of": _opening("of"),
    "open.closeAfter": _opening("close_after"),
    "grouping.falseDiscoveryRate": _rate,
    "season.timeZone": _zone,
    "season.daily": _daily,
    "season.weekly": _weekly,
}
FIELDS: Final = tuple(_SETTERS)
"""What can be set."""
