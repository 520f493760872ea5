"""Events of anomaly detectors in words: `traffic of checkout: 1,240/s, expected 480–610/s (daily, 4 weeks)`."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from controlplane import anomaly_names, conventions, wording
from controlplane.model.event import JSON, Event

_MOST_LABELS: Final = 3
_LONGEST_VALUE: Final = 60
_TWO_WEEKS: Final = timedelta(days=14)
_BASELINES: Final = {"level": "past day", "daily": "daily", "weekly": "weekly", "cost": "trend and weekday"}
_GAP: Final = "gap"
_ENDINGS: Final = {
    "unknown": "there is nothing to score any more",
    "gone": "the series is gone",
    "expected": "somebody said that it was expected",
}


def started(event: Event) -> str:
    """Off its band, at a point or for longer."""
    data = event.data
    sustained = ", off for longer" if data.get("output") == "sustained" else ""
    return f"{_whose(event)}: {_figures(data)}{sustained}{_baseline(data)}"


def shifted(event: Event) -> str:
    """A new level."""
    return f"{_whose(event)} has a new level: {_figures(event.data)}"


def missing(event: Event) -> str:
    """Samples that used to come."""
    return f"{_whose(event)}: samples are missing that used to come"


def ended(event: Event) -> str:
    """Back in its band, or why it is over without that."""
    data, whose = event.data, _whose(event)
    if why := _ENDINGS.get(_text(data, "reason")):
        return f"{whose}: the {'gap' if data.get('output') == _GAP else 'anomaly'} is over, {why}"
    lasted = _lasted(data)
    if data.get("output") == _GAP:
        return f"{whose}: samples come again{f' after {lasted}' if lasted else ''}"
    worst = f"; at worst {_figures(data)}" if _number(data, "value") is not None else ""
    return f"{whose} is as usual again{f' after {lasted}' if lasted else ''}{worst}"


def said(event: Event) -> str:
    """What somebody thinks of it."""
    data = event.data
    meant = "was expected" if data.get("verdict") == "expected" else "was really wrong"
    note = _text(data, "note")
    return f"{_text(data, 'actor') or 'somebody'} says that {event.subject} {meant}{f': {note}' if note else ''}"


WORDS: Final[Mapping[str, Callable[[Event], str]]] = {
    anomaly_names.EVENT_STARTED: started,
    anomaly_names.EVENT_SHIFTED: shifted,
    anomaly_names.EVENT_GAP: missing,
    anomaly_names.EVENT_ENDED: ended,
    anomaly_names.EVENT_FEEDBACK: said,
}


def _whose(event: Event) -> str:
    """`traffic of checkout`; by the service, or else by a few labels."""
    title = _text(event.data, "title") or _text(event.data, "detector") or event.subject
    labels = event.data.get("labels")
    named = {name: str(value) for name, value in labels.items() if value} if isinstance(labels, dict) else {}
    service = _text(event.data, conventions.SERVICE) or named.pop(conventions.SERVICE, "")
    named.pop(conventions.SERVICE, None)
    parts = [service] if service else []
    parts += [f"{name} {value[:_LONGEST_VALUE]}" for name, value in list(named.items())[:_MOST_LABELS]]
    if not parts:
        return title
    of = ", ".join(parts)
    return f"{title} ({of})" if " of " in title else f"{title} of {of}"


def _figures(data: Mapping[str, JSON]) -> str:
    value, unit = _number(data, "value"), _text(data, "unit")
    said = "no value" if value is None else f"{_count(value)}{unit}"
    lower, upper, expected = (_number(data, name) for name in ("lower", "upper", "expected"))
    if lower is not None and upper is not None:
        between = "–" if lower >= 0 else " to "
        return f"{said}, expected {_count(lower)}{between}{_count(upper)}{unit}"
    return said if expected is None else f"{said}, expected {_count(expected)}{unit}"


def _baseline(data: Mapping[str, JSON]) -> str:
    known = [_BASELINES.get(_text(data, "baseline"), "")]
    seconds = _number(data, "history_seconds")
    if seconds is not None and seconds > 0:
        known.append(_history(timedelta(seconds=float(seconds))))
    told = ", ".join(part for part in known if part)
    return f" ({told})" if told else ""


def _history(length: timedelta) -> str:
    """Whole units: 4 weeks, 9 days, 5 h."""
    if length >= _TWO_WEEKS:
        return f"{length.days // 7} weeks"
    return f"{length.days} days" if length >= timedelta(days=2) else wording.duration(length)


def _lasted(data: Mapping[str, JSON]) -> str:
    try:
        start, end = (datetime.fromisoformat(_text(data, name)) for name in ("started_at", "ended_at"))
        return wording.duration(end - start)
    except (ValueError, TypeError):  # of another maker
        return ""


def _count(value: Decimal) -> str:
    return wording.money(value, "")


def _number(data: Mapping[str, JSON], name: str) -> Decimal | None:
    try:
        value = Decimal(_text(data, name))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _text(data: Mapping[str, JSON], name: str) -> str:
    value = data.get(name)
    return "" if value is None or isinstance(value, (dict, list)) else str(value)
