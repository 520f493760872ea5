"""Alertmanager's webhook, version 4 (`template.Data` in its source): bytes in, a notification or a reason out.

Unknown keys are ignored, because newer versions add some. Text is kept as it is, save for NUL and lone surrogates,
which no database takes: they become U+FFFD, since an alert must not be lost over a character.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from controlplane.model.alert import Alert, AlertNotification, AlertStatus

VERSION: Final = "4"
MAX_ALERTS: Final = 5_000
MAX_LABELS: Final = 256
MAX_NAME_CHARACTERS: Final = 256
MAX_LABEL_CHARACTERS: Final = 4_096
MAX_TEXT_CHARACTERS: Final = 65_536  # annotations and URLs beyond it are cut
MAX_TRUNCATED: Final = 2**31
_ZERO_TIME: Final = datetime(1, 1, 1, tzinfo=UTC)  # what Go writes for "not set"
_FINGERPRINT: Final = re.compile(r"[!-~]{1,128}")
_RFC3339: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")

_Object = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a body is not a notification; `field` such as `alerts[2].startsAt`, empty for the body as a whole."""

    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}" if self.field else self.reason


class _Refused(Exception):
    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.refusal = Refusal(field, reason)


def parse_webhook(body: bytes) -> AlertNotification | Refusal:
    """The notification in `body`, or the first reason why it is none. Never raises.

    Times are cut to microseconds. A firing alert has no end, whatever `endsAt` says; a resolved one needs its own.
    """
    try:
        return _notification(_json_object(body))
    except _Refused as refused:
        return refused.refusal


def _json_object(body: bytes) -> _Object:
    try:
        document = json.loads(body)
    except UnicodeDecodeError:
        raise _Refused("", "the body is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise _Refused("", f"the body is not JSON: {error.msg} at line {error.lineno} column {error.colno}") from None
    except ValueError:
        raise _Refused("", "the body is not JSON that we read: a number is too long") from None
    except RecursionError:
        raise _Refused("", "the body is not JSON that we read: nested too deeply") from None
    if not isinstance(document, dict):
        raise _Refused("", f"the body must be a JSON object, not {_kind(document)}")
    return document


def _notification(document: _Object) -> AlertNotification:
    version = _text(document, "version", "version")
    if version != VERSION:
        raise _Refused("version", f'must be "{VERSION}", not {_quoted(version)}')
    alerts = document.get("alerts")
    if not isinstance(alerts, list):
        raise _Refused("alerts", _expected("a list", document, "alerts"))
    if len(alerts) > MAX_ALERTS:
        raise _Refused("alerts", f"holds {len(alerts)} alerts, more than {MAX_ALERTS}")
    return AlertNotification(
        group_key=_text(document, "groupKey", "groupKey"),
        receiver=_text(document, "receiver", "receiver"),
        status=_status(document, "status"),
        alerts=tuple(_alert(alert, f"alerts[{index}]") for index, alert in enumerate(alerts)),
        truncated_alerts=_count(document, "truncatedAlerts"),
        external_url=_text(document, "externalURL", "externalURL", default=""),
    )


def _alert(value: object, field: str) -> Alert:
    if not isinstance(value, dict):
        raise _Refused(field, f"must be an object, not {_kind(value)}")
    fingerprint = _text(value, "fingerprint", f"{field}.fingerprint")
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise _Refused(f"{field}.fingerprint", "must be 1 to 128 visible ASCII characters")
    status = _status(value, f"{field}.status")
    starts_at = _time(value, "startsAt", field)
    if starts_at == _ZERO_TIME:
        raise _Refused(f"{field}.startsAt", "must be a time, not the zero time")
    return Alert(
        fingerprint=fingerprint,
        starts_at=starts_at,
        status=status,
        labels=_labels(value, f"{field}.labels"),
        annotations=_annotations(value, f"{field}.annotations"),
        ends_at=_end(value, field, starts_at) if status is AlertStatus.RESOLVED else None,
        generator_url=_text(value, "generatorURL", f"{field}.generatorURL", default=""),
    )


def _end(alert: _Object, field: str, starts_at: datetime) -> datetime:
    ends_at = _time(alert, "endsAt", field)
    if ends_at == _ZERO_TIME:
        raise _Refused(f"{field}.endsAt", "must be a time when the alert is resolved, not the zero time")
    if ends_at < starts_at:
        raise _Refused(f"{field}.endsAt", "must not be before startsAt")
    return ends_at


def _labels(alert: _Object, field: str) -> dict[str, str]:
    labels = _pairs(alert.get("labels"), field)
    if not labels:
        raise _Refused(field, "must hold at least one label")
    for name, text in labels.items():
        if len(text) > MAX_LABEL_CHARACTERS:
            raise _Refused(f"{field}.{name}", f"is {len(text)} characters long, more than {MAX_LABEL_CHARACTERS}")
    return labels


def _annotations(alert: _Object, field: str) -> dict[str, str]:
    value = alert.get("annotations")
    if value is None:
        return {}
    return {name: _cut(text) for name, text in _pairs(value, field).items()}


def _pairs(value: object, field: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _Refused(field, f"must be an object of texts, not {_kind(value)}")
    if len(value) > MAX_LABELS:
        raise _Refused(field, f"holds {len(value)} names, more than {MAX_LABELS}")
    pairs = {}
    for name, text in value.items():
        if not name or len(name) > MAX_NAME_CHARACTERS:
            raise _Refused(field, f"holds a name that is empty or longer than {MAX_NAME_CHARACTERS} characters")
        if not isinstance(text, str):
            raise _Refused(f"{field}.{_storable(name)}", f"must be text, not {_kind(text)}")
        pairs[_storable(name)] = _storable(text)
    return pairs


def _status(value: _Object, field: str) -> AlertStatus:
    text = _text(value, "status", field)
    try:
        return AlertStatus(text)
    except ValueError:
        raise _Refused(field, f"must be firing or resolved, not {_quoted(text)}") from None


def _count(document: _Object, name: str) -> int:
    value = document.get(name)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_TRUNCATED:
        raise _Refused(name, "must be a whole number that is not negative")
    return value


def _time(alert: _Object, name: str, field: str) -> datetime:
    text = _text(alert, name, f"{field}.{name}")
    found = _RFC3339.fullmatch(text)
    try:
        return _instant(found) if found else _no_time(text)
    except (ValueError, OverflowError):
        raise _Refused(f"{field}.{name}", f"must be a time as in RFC 3339, not {_quoted(text)}") from None


def _instant(found: re.Match[str]) -> datetime:
    day, clock, fraction, sign, hours, minutes = found.groups()
    local = datetime.fromisoformat(f"{day}T{clock}.{(fraction or '')[:6]:0<6}+00:00")
    if sign is None:
        return local
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    if offset >= timedelta(days=1) or int(minutes) >= 60:
        raise ValueError("no such offset")
    return local - offset if sign == "+" else local + offset


def _no_time(text: str) -> datetime:
    raise ValueError(text)


def _text(value: _Object, name: str, field: str, *, default: str | None = None) -> str:
    text = value.get(name)
    if text is None and default is not None:
        return default
    if not isinstance(text, str):
        raise _Refused(field, _expected("text", value, name))
    return _cut(_storable(text))


def _expected(what: str, value: _Object, name: str) -> str:
    return f"must be {what}, not {_kind(value[name])}" if name in value else f"is missing; must be {what}"


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT_CHARACTERS else text[: MAX_TEXT_CHARACTERS - 1] + "…"


def _quoted(text: str) -> str:
    return json.dumps(text[:40] + ("…" if len(text) > 40 else ""), ensure_ascii=False)


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
