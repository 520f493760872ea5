"""Metric selectors as users write them: told from other PromQL, and spliced, not printed."""

from typing import Final

import promql_parser

from controlplane.promql_tokens import tokens_of

_SCALAR_FUNCTIONS: Final = frozenset({"pi", "scalar", "time"})
_HAS_TARGET: Final = 'instance!=""'


def is_selector(text: str) -> bool:
    """Whether valid PromQL is one metric selector without a range, an offset or a time of its own."""
    found = promql_parser.parse(text)
    if not isinstance(found, promql_parser.VectorSelector) or found.offset is not None or found.at is not None:
        return False
    return bool(found.name) or any(matcher.name == "__name__" for matcher in found.matchers.matchers)


def is_vector(text: str) -> bool:
    """Whether valid PromQL yields instant samples with labels: no range, text or plain number."""
    return _yields_vector(promql_parser.parse(text))


def _yields_vector(found: object) -> bool:
    if isinstance(found, promql_parser.ParenExpr | promql_parser.UnaryExpr):
        return _yields_vector(found.expr)
    if isinstance(found, promql_parser.BinaryExpr):
        return _yields_vector(found.lhs) or _yields_vector(found.rhs)
    if isinstance(found, promql_parser.Call):
        return found.func.name not in _SCALAR_FUNCTIONS
    others = (promql_parser.MatrixSelector, promql_parser.StringLiteral, promql_parser.NumberLiteral)
    return not isinstance(found, (*others, promql_parser.SubqueryExpr))


def with_target(selector: str) -> str:
    """The selector's series that say which target they come from."""
    tokens = tokens_of(selector)
    brace = next((index for index, token in enumerate(tokens) if token.text == "{"), None)
    if brace is None:
        return f"{selector}{{{_HAS_TARGET}}}"
    at = tokens[brace].end
    comma = "" if tokens[brace + 1].text == "}" else ","
    return f"{selector[:at]}{_HAS_TARGET}{comma}{selector[at:]}"


def quoted(value: str) -> str:
    """A label's value as PromQL writes it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def pattern(value: str) -> str:
    """A value as a regular expression (RE2) that matches it and nothing else."""
    return "".join(f"\\{character}" if character in _SPECIAL else character for character in value)


_SPECIAL: Final = frozenset("\\.+*?()|[]{}^$")


def any_of(label: str, values: tuple[str, ...]) -> str:
    """A matcher for any of the values; the empty text matches what has no such label."""
    if len(values) == 1:
        return f"{label}={quoted(values[0])}"
    return f"{label}=~{quoted('|'.join(pattern(value) for value in values))}"


def labelled(vector: str, label: str, value: str) -> str:
    """A vector whose series all get a label."""
    replacement = quoted(value.replace("$", "$$"))
    return f'label_replace({vector}, "{label}", {replacement}, "", "")'


def renamed(vector: str, ours: str, theirs: str) -> str:
    """A vector that has under our name of a label what the metric has under its own."""
    return f'label_replace({vector}, "{ours}", "$1", "{theirs}", "(.*)")'


def summed(labels: tuple[str, ...], vector: str) -> str:
    """The sum that keeps these labels."""
    return f"sum by ({', '.join(labels)}) (\n{indented(vector)}\n)" if labels else f"sum (\n{indented(vector)}\n)"


def indented(text: str) -> str:
    """PromQL two columns further in."""
    return "\n".join(f"  {line}" for line in text.split("\n"))
