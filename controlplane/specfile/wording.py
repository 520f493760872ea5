"""pydantic's errors in plain words: what was expected, and what is there."""

import re
from collections.abc import Sequence
from typing import Final

from pydantic_core import ErrorDetails

from controlplane.specfile.suggestions import did_you_mean

_NUMBER: Final = re.compile(r"[-+]?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
_SHOWN: Final = 60  # characters of a value that a message repeats
_QUOTED_CHOICE: Final = re.compile(r"'([^']*)'")

_EXPECTED: Final = {
    "string_type": "text",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of reasonable size",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dataclass_type": "a mapping",
    "none_required": "nothing",
    "url_type": "a URL",
    "url_parsing": "a URL",
    "datetime_type": "a date and time such as 2026-01-31T12:00:00Z",
    "datetime_parsing": "a date and time such as 2026-01-31T12:00:00Z",
    "datetime_from_date_parsing": "a date and time such as 2026-01-31T12:00:00Z",
    "date_type": "a date such as 2026-01-31",
    "date_parsing": "a date such as 2026-01-31",
    "date_from_datetime_parsing": "a date such as 2026-01-31",
    "timezone_aware": "a time with a time zone, such as 2026-01-31T12:00:00Z",
}
_LIMITS: Final = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
    "multiple_of": ("a multiple of", "multiple_of"),
}


def describe(value: object, first_character: str = "") -> str:
    """A value in words: `the number 5`, `the text 'abc'`, `a list`; `first_character` tells quoted numbers."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = str(value)
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    if first_character not in ('"', "'", "|", ">") and _NUMBER.fullmatch(text):
        return f"the number {shown}"
    return f"the text {shown!r}"


def message(errors: Sequence[ErrorDetails], written: str, on_key: bool) -> str:
    """What is wrong, for pydantic's errors on a value that is there: several if it may be one of several things."""
    error = errors[0]
    expected = dict.fromkeys(_EXPECTED[each["type"]] for each in errors if each["type"] in _EXPECTED)
    if error["type"] in _EXPECTED:
        return f"expected {' or '.join(expected)}, got {written}"
    kind, context = error["type"], error.get("ctx", {})
    if kind in _LIMITS:
        word, key = _LIMITS[kind]
        return f"must be {word} {context[key]}, is {written.removeprefix('the number ')}"
    if kind == "union_tag_invalid":
        return f"expected {context['expected_tags']}, got the text {context['tag']!r}{_meant(error)}"
    if kind in ("literal_error", "enum"):
        return f"expected {context['expected']}, got {written}{_meant(error)}"
    if kind in ("string_too_short", "string_too_long", "too_short", "too_long"):
        return _length(kind, context)
    if kind == "string_pattern_mismatch":
        return f"{'the key' if on_key else written} does not have the form {context['pattern']}"
    if kind in ("value_error", "assertion_error"):
        return str(context.get("error", error["msg"]))
    sentence = error["msg"]
    return sentence[:1].lower() + sentence[1:]


def hint(error: ErrorDetails) -> str:
    """The way out, where there is a usual one."""
    if error["type"] == "string_type" and isinstance(error["input"], bool):
        return "write it in quotes if text is meant"
    return ""


def _meant(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    known = _QUOTED_CHOICE.findall(str(context.get("expected", context.get("expected_tags", ""))))
    written = context.get("tag", error["input"])
    meant = did_you_mean(written, known) if isinstance(written, str) else None
    return f", did you mean `{meant}`?" if meant else ""


def _length(kind: str, context: dict[str, object]) -> str:
    if kind == "string_too_short":
        return (
            "must not be empty" if context["min_length"] == 1 else f"needs {context['min_length']} characters or more"
        )
    if kind == "string_too_long":
        return f"has more than {context['max_length']} characters"
    if kind == "too_short":
        if context["actual_length"] == 0:
            return "must not be empty"
        return f"needs {context['min_length']} entries or more, has {context['actual_length']}"
    return f"takes {context['max_length']} entries at most, has {context['actual_length']}"
