"""Values of parameters: checked by type, and written so that nothing in them can leave its place in a query."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from pydantic import JsonValue

from controlplane.burn_rate import number
from controlplane.promql import check_promql
from slo.promql.promql_text import Token, TokenKind, silent, tokens
from slo.templates.spec import Parameter, ParameterType

_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})(?:[eE][-+]?[0-9]{1,2})?")
_PARTS: Final = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d|w))+")
_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d|w)")
_SECONDS: Final = {
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86_400),
    "w": Decimal(604_800),
}
_DURATION: Final = re.compile(r"(?:[0-9]{1,9}(?:ms|s|m|h|d|w|y))+")
_METRIC: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_META: Final = re.compile(r"([\\.+*?()|\[\]{}^$])")
_OPERATORS: Final = ("=", "!=", "=~", "!~")
_MOST_CHARACTERS: Final = 10_000
_MOST_REPETITIONS: Final = 3
_PATTERN_CHARACTERS: Final = 200
_TIME_LIMIT: Final = Decimal("1e10")  # seconds: 300 years


class ValueFault(Exception):
    """Why a value cannot be used; `offset` is the character of a text that is at fault."""

    def __init__(self, message: str, hint: str = "", *, offset: int | None = None, length: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.offset = offset
        self.length = length


@dataclass(frozen=True, slots=True)
class Value:
    """A checked value: its text, and whether it is a pattern already when it stands in a regular expression."""

    text: str
    is_pattern: bool = False

    def in_string(self, quote: str, *, of_regex: bool) -> str:
        """The value inside of a PromQL string with this quote, which it cannot end."""
        literal = _META.sub(r"\\\1", self.text) if of_regex and not self.is_pattern else self.text
        escaped = json.dumps(literal, ensure_ascii=False)[1:-1]
        return escaped if quote == '"' else escaped.replace('\\"', '"').replace("'", "\\'")


def value_of(parameter: Parameter, written: JsonValue) -> Value:
    """What somebody wrote for a parameter. Raises `ValueFault`."""
    value = _BY_TYPE[parameter.type](written)
    if parameter.one_of and value.text not in parameter.one_of:
        raise ValueFault(f"`{_short(value.text)}` is not one of {', '.join(parameter.one_of)}")
    if parameter.pattern is not None and not _matches(parameter.pattern, value.text):
        raise ValueFault(f"`{_short(value.text)}` does not match {parameter.pattern}")
    if parameter.type in _NUMERIC:
        _check_bounds(parameter, Decimal(value.text))
    return value


def specimen(parameter: Parameter) -> JsonValue:
    """A value to try a template with: the example, the default, or what its type allows."""
    if parameter.example is not None:
        return parameter.example
    if parameter.default is not None:
        return parameter.default
    if parameter.one_of:
        return parameter.one_of[0]
    return _SPECIMENS[parameter.type]


def pattern_fault(pattern: str) -> str:
    """Why a parameter's pattern is refused; empty when it can be used.

    Only forms that match in bounded time are taken: no repeated groups, few repetitions.
    """
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return "not a regular expression"
    plain = re.sub(r"\\.|\[\^?\]?[^\]]*\]", "x", pattern.replace("(?:", "("))
    if "(?" in plain or re.search(r"\\[1-9]", pattern) or re.search(r"\)[*+?{]", plain):
        return "too powerful: repeated groups, references and (?…) are not taken"
    if len(re.findall(r"[*+{]", plain)) > _MOST_REPETITIONS or len(pattern) > _PATTERN_CHARACTERS:
        return f"too long: at most {_MOST_REPETITIONS} repetitions"
    return ""


def _matches(pattern: str, text: str) -> bool:
    """Of a pattern that is refused where it is written, nothing more is said."""
    if pattern_fault(pattern):
        return True
    return len(text) <= _PATTERN_CHARACTERS and re.fullmatch(pattern, text) is not None


def flow(value: JsonValue) -> str:
    """A value as YAML writes it on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(each) for each in value) + "]"
    if isinstance(value, str) and not (value.replace("-", "").replace("_", "").replace(".", "").isalnum()):
        return json.dumps(value, ensure_ascii=False)
    return value if isinstance(value, str) else json.dumps(value)


def _check_bounds(parameter: Parameter, value: Decimal) -> None:
    if parameter.minimum is not None and value < parameter.minimum:
        raise ValueFault(f"must be at least {number(parameter.minimum)}, is {number(value)}")
    if parameter.maximum is not None and value > parameter.maximum:
        raise ValueFault(f"must be at most {number(parameter.maximum)}, is {number(value)}")


def _text(written: JsonValue) -> str:
    if isinstance(written, bool):
        return "true" if written else "false"
    if isinstance(written, int | float):
        return str(written)
    if not isinstance(written, str):
        what = "a list" if isinstance(written, list) else "a mapping" if isinstance(written, dict) else "nothing"
        raise ValueFault(f"expected text, got {what}")
    if len(written) > _MOST_CHARACTERS:
        raise ValueFault(f"longer than {_MOST_CHARACTERS:,} characters")
    return written


def _string(written: JsonValue) -> Value:
    return Value(_text(written))


def _regex(written: JsonValue) -> Value:
    text = "|".join(_text(item) for item in written) if isinstance(written, list) else _text(written)
    error = check_promql(f"x{{a=~{json.dumps(text, ensure_ascii=False)}}}")
    if error is not None:
        raise ValueFault(f"`{_short(text)}` is not a regular expression", "Prometheus reads RE2")
    return Value(text, is_pattern=True)


def _number(written: JsonValue) -> Value:
    text = _text(written).strip()
    if not _NUMBER.fullmatch(text):
        raise ValueFault(f"`{_short(text)}` is not a number")
    return Value(number(Decimal(text)))


def _seconds(written: JsonValue) -> Value:
    return Value(number(_time(written, _SECONDS["s"])))


def _milliseconds(written: JsonValue) -> Value:
    return Value(number(_time(written, _SECONDS["ms"]) * 1000))


def _time(written: JsonValue, unit: Decimal) -> Decimal:
    """Seconds; a bare number counts in `unit`."""
    text = _text(written).strip()
    if _NUMBER.fullmatch(text):
        found = Decimal(text) * unit
    elif _PARTS.fullmatch(text):
        found = sum((Decimal(count) * _SECONDS[each] for count, each in _PART.findall(text)), Decimal(0))
    else:
        named = "seconds" if unit == 1 else "milliseconds"
        raise ValueFault(
            f"`{_short(text)}` is not a time", f"a number of {named}, or one with its unit: 300ms, 1.5s, 2h"
        )
    if not 0 < found <= _TIME_LIMIT:
        raise ValueFault(
            f"must be above 0, is {_short(text)}" if found <= 0 else f"`{_short(text)}` is too long a time"
        )
    return found


def _duration(written: JsonValue) -> Value:
    text = _text(written).strip()
    if not _DURATION.fullmatch(text) or not re.search("[1-9]", text):
        raise ValueFault(f"`{_short(text)}` is not a duration", "as in 5m, 1h30m or 7d")
    return Value(text)


def _metric(written: JsonValue) -> Value:
    text = _text(written)
    if not _METRIC.fullmatch(text):
        raise ValueFault(f"`{_short(text)}` is not a metric's name", "labels belong into a selector")
    return Value(text)


def _label(written: JsonValue) -> Value:
    text = _text(written)
    if not _LABEL.fullmatch(text):
        raise ValueFault(f"`{_short(text)}` is not a label's name")
    return Value(text)


def _selector(written: JsonValue) -> Value:
    if isinstance(written, dict):
        return Value(", ".join(_matcher(label, value) for label, value in written.items()))
    if isinstance(written, list):
        raise ValueFault("expected matchers, got a list", 'write {job: checkout}, or text: job="checkout"')
    text = _text(written)
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    if text[start:end].startswith("{") and text[start:end].endswith("}"):
        start, end = start + 1, end - 1
    inner = text[start:end]
    _check_matchers(inner, start)
    error = check_promql(f"x{{{inner}}}") if inner.strip() else None
    if error is not None:
        offset = max(0, error.offset - 2) + start
        raise ValueFault(error.message, error.hint, offset=min(offset, max(0, len(text) - 1)), length=error.length)
    return Value(inner.strip().rstrip(",").rstrip())


def _matcher(label: str, value: JsonValue) -> str:
    if not _LABEL.fullmatch(label):
        raise ValueFault(f"`{_short(label)}` is not a label's name")
    if isinstance(value, list):
        pattern = "|".join(_META.sub(r"\\\1", _text(item)) for item in value)
        return f"{label}=~{json.dumps(pattern, ensure_ascii=False)}"
    return f"{label}={json.dumps(_text(value), ensure_ascii=False)}"


def _check_matchers(text: str, start: int) -> None:
    """Only `label op "value"`, separated by commas: nothing that could end the selector."""
    speaking = [token for token in tokens(text) if not silent(token)]
    if any(token.kind is TokenKind.COMMENT for token in tokens(text)):
        raise ValueFault("a comment has no place in a selector")
    expected: tuple[Callable[[Token], bool], ...] = (_is_label, _is_operator, _is_string, _is_comma)
    for index, token in enumerate(speaking):
        if not expected[index % 4](token):
            hint = 'write matchers, such as job="checkout",route=~"/api/.*", or a mapping {job: checkout}'
            message = f"unexpected `{_short(token.text)}` in a selector"
            raise ValueFault(message, hint, offset=token.start + start, length=len(token.text))
    if len(speaking) % 4 in (1, 2):
        raise ValueFault(f"`{_short(text)}` is no complete selector", 'write matchers, such as job="checkout"')


def _is_label(token: Token) -> bool:
    return token.kind is TokenKind.WORD and _LABEL.fullmatch(token.text) is not None and token.text != "__name__"


def _is_operator(token: Token) -> bool:
    return token.text in _OPERATORS


def _is_string(token: Token) -> bool:
    return token.kind is TokenKind.STRING


def _is_comma(token: Token) -> bool:
    return token.text == ","


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"


_BY_TYPE: Final[Mapping[ParameterType, Callable[[JsonValue], Value]]] = {
    ParameterType.SELECTOR: _selector,
    ParameterType.STRING: _string,
    ParameterType.REGEX: _regex,
    ParameterType.NUMBER: _number,
    ParameterType.SECONDS: _seconds,
    ParameterType.MILLISECONDS: _milliseconds,
    ParameterType.DURATION: _duration,
    ParameterType.METRIC: _metric,
    ParameterType.LABEL: _label,
}
_NUMERIC: Final = (ParameterType.NUMBER, ParameterType.SECONDS, ParameterType.MILLISECONDS)
_SPECIMENS: Final[Mapping[ParameterType, JsonValue]] = {
    ParameterType.SELECTOR: 'job="x"',
    ParameterType.STRING: "x",
    ParameterType.REGEX: "x.*",
    ParameterType.NUMBER: "1",
    ParameterType.SECONDS: "1",
    ParameterType.MILLISECONDS: "1",
    ParameterType.DURATION: "5m",
    ParameterType.METRIC: "x_total",
    ParameterType.LABEL: "x",
}
