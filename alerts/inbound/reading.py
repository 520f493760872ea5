"""JSON of others, read with care: bounded text, times, and what is missing is empty."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from alerts.inbound.model import Unreadable

LONGEST_TEXT: Final = 8_000
LONGEST_NAME: Final = 200
LONGEST_ID: Final = 300
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_FRACTION: Final = re.compile(r"\.(\d+)")

Object = Mapping[str, object]


def json_object(body: bytes | str) -> Object | Unreadable:
    """The object that the text is. Never raises."""
    try:
        document = json.loads(body)
    except UnicodeDecodeError:
        return Unreadable("the body is not UTF-8 text")
    except (ValueError, RecursionError):
        return Unreadable("the body is not JSON that we read")
    return document if isinstance(document, dict) else Unreadable("the body must be a JSON object")


def part(value: Object, *names: str) -> Object:
    """An object within; empty where there is none."""
    for name in names:
        found = value.get(name)
        if not isinstance(found, dict):
            return {}
        value = found
    return value


def text(value: Object, name: str, longest: int = LONGEST_ID) -> str:
    """A text within, cut; empty where there is none."""
    found = value.get(name)
    return _UNSTORABLE.sub("\ufffd", found)[:longest] if isinstance(found, str) else ""


def time_of(written: str) -> datetime | None:
    """A time as in RFC 3339; None for what is none."""
    if not _RFC3339.fullmatch(written):
        return None
    six_digits = _FRACTION.sub(lambda found: f".{found[1][:6]:0<6}", written.upper())
    try:
        return datetime.fromisoformat(six_digits).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def epoch_time(written: str) -> datetime | None:
    """Seconds since 1970, with or without a fraction, as Slack writes them; None for what is none."""
    if not re.fullmatch(r"\d{1,11}(\.\d{1,9})?", written, re.ASCII):
        return None
    whole, _, fraction = written.partition(".")
    return datetime.fromtimestamp(int(whole), UTC) + timedelta(microseconds=int(f"{fraction[:6]:0<6}"))
