"""Rule files as YAML: the one shape that Prometheus reads, always the same bytes for the same rules.

Written by hand, because PyYAML takes 50 times as long; a property test reads everything back with `yaml.safe_load`.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache
from typing import Final

from controlplane.burn_rate import duration
from controlplane.model.rule import AlertingRule, Labels, RecordingRule, Rule, RuleFile, RuleGroup

_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
# What a plain scalar may consist of without meaning anything else: words of our series names and labels.
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[:/.-][A-Za-z0-9_]+)*")
_RESERVED: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
# Printable in YAML, and no line break of YAML 1.1 (next line, line and paragraph separator) or byte order mark.
_UNPRINTABLE: Final = re.compile(
    "[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_ESCAPED: Final = re.compile(
    '[\\\\"]|[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]'
)


def to_yaml(file: RuleFile) -> str:
    """The file's text; ends with a newline. Strings are single-quoted, multi-line ones are blocks."""
    if not file.groups:
        return "groups: []\n"
    return "".join(_lines(file))


def _lines(file: RuleFile) -> Iterator[str]:
    yield "groups:\n"
    for group in file.groups:
        yield from _group(group)


def _group(group: RuleGroup) -> Iterator[str]:
    yield f"- name: {scalar(group.name)}\n  interval: {_length(group.interval)}\n"
    if not group.rules:
        yield "  rules: []\n"
        return
    yield "  rules:\n"
    for rule in group.rules:
        yield from _rule(rule)


def _rule(rule: Rule) -> Iterator[str]:
    match rule:
        case RecordingRule():
            yield f"  - record: {scalar(rule.record)}\n"
            yield f"    expr: {text(rule.expr, 6)}\n"
            yield from _mapping("labels", rule.labels)
        case AlertingRule():
            yield f"  - alert: {scalar(rule.alert)}\n"
            yield f"    expr: {text(rule.expr, 6)}\n"
            if rule.hold:
                yield f"    for: {_length(rule.hold)}\n"
            if rule.keep_firing:
                yield f"    keep_firing_for: {_length(rule.keep_firing)}\n"
            yield from _mapping("labels", rule.labels)
            yield from _mapping("annotations", rule.annotations)


def _mapping(name: str, pairs: Labels) -> Iterator[str]:
    if pairs:
        yield f"    {name}:\n"
        for key, value in pairs:
            yield f"      {scalar(key)}: {text(value, 8)}\n"


def _length(length: timedelta) -> str:
    return duration(length)


def text(value: str, indent: int) -> str:
    """A string as a block when it spans lines and can be one, else as a scalar; `indent` spaces before block lines."""
    if "\n" not in value or value[0] in " \n" or value.endswith(("\n", " ")) or _UNPRINTABLE.search(value):
        return scalar(value)
    margin = " " * indent
    lines = "\n".join(margin + line if line else "" for line in value.split("\n"))
    return f"|-\n{lines}"


@lru_cache(maxsize=4096)  # keys and most values repeat in every rule
def scalar(value: str) -> str:
    """A string on one line: plain when nothing can misread it, else quoted."""
    if _PLAIN.fullmatch(value) and value.lower() not in _RESERVED:
        return value
    if _UNPRINTABLE.search(value) or "\n" in value:
        return '"' + _ESCAPED.sub(_escape, value) + '"'
    return "'" + value.replace("'", "''") + "'"


def _escape(match: "re.Match[str]") -> str:
    character = match.group()
    if character in _ESCAPES:
        return _ESCAPES[character]
    code = ord(character)
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
