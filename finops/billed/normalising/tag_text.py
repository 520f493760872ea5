"""What a text of tags says: keys in lower case without spaces around them, values as text."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

MAX_TAGS: Final = 1_000
MAX_LENGTH: Final = 4_096  # of a key or value


@dataclass(frozen=True, slots=True)
class Tags:
    """`values` by key; None when the text cannot be read. The other two tell what was mended on the way."""

    values: Mapping[str, str] | None
    spaced: bool = False
    conflicting: bool = False


_UNREADABLE: Final = Tags(None)


def tags_in(text: str, aliases: Mapping[str, str]) -> Tags:
    """Tags of a JSON object (FOCUS), or a list of objects with `key` and `value` (BigQuery).

    Keys are compared without letter case and surrounding spaces, and by their aliases; of several that are the same,
    the first counts. Values that are null or blank are none; a bare key has the value `true`, as FOCUS writes it.
    """
    try:
        parsed = json.loads(text, object_pairs_hook=_Pairs, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return _UNREADABLE
    pairs = _pairs(parsed)
    if pairs is None or len(pairs) > MAX_TAGS:
        return _UNREADABLE
    values: dict[str, str] = {}
    spaced = conflicting = False
    for written, raw in pairs:
        key = written.strip().lower()
        spaced = spaced or written != written.strip()
        key = aliases.get(key, key)
        value = _text(raw)
        if not key or value is None:
            continue
        if values.setdefault(key[:MAX_LENGTH], value[:MAX_LENGTH]) != value[:MAX_LENGTH]:
            conflicting = True
    return Tags(values, spaced, conflicting)


class _Pairs(list[tuple[str, Any]]):
    """An object's members, in order and with repetitions."""


def _pairs(parsed: object) -> list[tuple[str, Any]] | None:
    if isinstance(parsed, _Pairs):
        return list(parsed)
    if not isinstance(parsed, list) or not all(isinstance(each, _Pairs) for each in parsed):
        return None
    found = []
    for each in parsed:
        members = {key.lower(): value for key, value in each}
        if not isinstance(members.get("key"), str):
            return None
        found.append((members["key"], members.get("value")))
    return found


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value.strip() or None
    return json.dumps(dict(value) if isinstance(value, _Pairs) else value, ensure_ascii=False, default=dict)
